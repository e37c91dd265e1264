// SPDX-License-Identifier: Apache-2.0
// Actions over real HTTP: what a service hears, and what each of its answers means.
#include "adapters/http_action/http_action.h"

#include <future>
#include <map>

#include <gtest/gtest.h>

#include "base/json.h"
#include "net/http_server.h"

namespace showcaller {
namespace {

using Answer = std::pair<StepOutcome, std::string>;

class HttpActionTest : public testing::Test {
 protected:
  // A service that answers as its path says: /200, /503, /never.
  void SetUp() override {
    auto started = HttpServer::start({}, [this](HttpRequest&& request, Responder responder) {
      std::lock_guard lock(mutex_);
      if (request.path == "/never") {
        kept_.push_back(std::move(responder));
        return;
      }
      const int status = std::atoi(request.path.c_str() + 1);
      heard_.push_back(std::move(request));
      responder.send(text_response(status, status == 409 ? "no\n\xff way" : ""));
    });
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
  }
  void TearDown() override {
    {
      std::lock_guard lock(mutex_);
      kept_.clear();
    }
    server_.reset();
  }

  ActionCall call_to(const std::string& path, Duration timeout = seconds(10)) const {
    ActionCall call;
    call.event = "winter-raid";
    call.revision = 7;
    call.step = 1;
    call.attempt = 2;
    call.url = server_->url() + path;
    call.path = "grants/open";
    call.idempotency_key = "winter-raid/r7/s1/do";
    call.traceparent = "00-" + std::string(32, 'a') + "-00f067aa0ba902b7-01";
    call.epoch = 3;
    call.timeout = timeout;
    return call;
  }
  static Answer wait_for(HttpAction* port, const ActionCall& call) {
    std::promise<Answer> promise;
    port->call(call, [&](StepOutcome outcome, std::string detail) {
      promise.set_value({outcome, std::move(detail)});
    });
    return promise.get_future().get();
  }

  std::mutex mutex_;
  std::vector<HttpRequest> heard_;
  std::vector<Responder> kept_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpActionTest, TheServiceHearsWhatItNeeds) {
  HttpAction port;
  EXPECT_EQ(wait_for(&port, call_to("/204?dry=1")), (Answer{StepOutcome::Done, "204 No Content"}));
  std::lock_guard lock(mutex_);
  ASSERT_EQ(heard_.size(), 1u);
  const HttpRequest& request = heard_[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/204?dry=1");
  EXPECT_EQ(request.headers.get("Idempotency-Key"), "winter-raid/r7/s1/do");
  EXPECT_EQ(request.headers.get("Showcaller-Epoch"), "3");
  EXPECT_TRUE(request.headers.get("traceparent").starts_with("00-" + std::string(32, 'a') + "-"));
  EXPECT_EQ(parse_json(request.body).value(), (json::value{{"event", "winter-raid"},
                                                           {"revision", 7},
                                                           {"step", 1},
                                                           {"direction", "do"},
                                                           {"attempt", 2},
                                                           {"path", "grants/open"},
                                                           {"epoch", 3}}));
}

TEST_F(HttpActionTest, EachAnswerHasItsMeaning) {
  HttpAction port;
  for (const auto& [status, outcome] : std::map<int, StepOutcome>{{200, StepOutcome::Done},
                                                                  {201, StepOutcome::Done},
                                                                  {302, StepOutcome::Failed},
                                                                  {400, StepOutcome::Failed},
                                                                  {404, StepOutcome::Failed},
                                                                  {408, StepOutcome::Unknown},
                                                                  {409, StepOutcome::Failed},
                                                                  {425, StepOutcome::Unknown},
                                                                  {429, StepOutcome::Unknown},
                                                                  {500, StepOutcome::Unknown},
                                                                  {503, StepOutcome::Unknown}}) {
    EXPECT_EQ(wait_for(&port, call_to(fmt::format("/{}", status))).first, outcome) << status;
  }
  EXPECT_EQ(wait_for(&port, call_to("/409")).second, "409 Conflict: no   way")
      << "fit for a record";
}

TEST_F(HttpActionTest, SilenceIsUnknown) {
  HttpAction port;
  EXPECT_EQ(wait_for(&port, call_to("/never", Duration(50))).first, StepOutcome::Unknown);
}

TEST_F(HttpActionTest, NobodyThereIsUnknown) {
  HttpAction port;
  ActionCall call = call_to("/200");
  server_->stop(Duration(0));
  const Answer answer = wait_for(&port, call);
  EXPECT_EQ(answer.first, StepOutcome::Unknown);
  EXPECT_FALSE(answer.second.empty());
}

TEST_F(HttpActionTest, ACallThatLeadsNowhereFails) {
  HttpAction port;
  ActionCall call = call_to("/200");
  call.url.clear();
  call.problem = "no Service 'grants' has a url";
  EXPECT_EQ(wait_for(&port, call), (Answer{StepOutcome::Failed, "no Service 'grants' has a url"}));
}

TEST_F(HttpActionTest, WhatWaitsIsBoundedAndEveryCallIsAnsweredOnce) {
  std::vector<std::future<Answer>> answers;
  {
    HttpAction port({.waiting_max = 2, .threads = 1, .tls = {}});
    for (int i = 0; i < 5; ++i) {
      auto promise = std::make_shared<std::promise<Answer>>();
      answers.push_back(promise->get_future());
      port.call(call_to("/never"), [promise](StepOutcome outcome, std::string detail) {
        promise->set_value({outcome, std::move(detail)});
      });
    }
  }
  int full = 0;
  for (auto& future : answers) {
    const Answer answer = future.get();
    EXPECT_EQ(answer.first, StepOutcome::Unknown);
    full += answer.second.starts_with("2 calls are waiting already") ? 1 : 0;
  }
  EXPECT_GE(full, 2);
}

}  // namespace
}  // namespace showcaller
