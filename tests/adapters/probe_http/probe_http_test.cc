// SPDX-License-Identifier: Apache-2.0
// Steps over real HTTP: what a service hears, and what its answer comes to.
#include "adapters/probe_http/probe_http.h"

#include <mutex>

#include <gtest/gtest.h>

#include "net/http_server.h"

namespace showcaller {
namespace {

class ProbeHttpTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = HttpServer::start({}, [this](HttpRequest&& request, Responder responder) {
      std::lock_guard lock(mutex_);
      if (request.path == "/never") {
        kept_.push_back(std::move(responder));
        return;
      }
      heard_.push_back(std::move(request));
      responder.send(text_response(201, "made"));
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
  ProbeAnswer ask(HttpProbeStep what, Duration timeout = seconds(10)) {
    ProbeStep step;
    step.what = std::move(what);
    return http_.exchange(step, {"00-aa-bb-01", {}}, timeout);
  }

  ProbeHttp http_;
  std::mutex mutex_;
  std::vector<HttpRequest> heard_;
  std::vector<Responder> kept_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(ProbeHttpTest, SendsWhatTheStepSaysAndTheTrace) {
  const ProbeAnswer answer =
      ask({"POST", server_->url() + "/enter?x=1", {{"X-Game", "raid"}}, "{\"a\":1}"});
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "made");
  ASSERT_EQ(heard_.size(), 1u);
  EXPECT_EQ(heard_[0].method, "POST");
  EXPECT_EQ(heard_[0].target, "/enter?x=1");
  EXPECT_EQ(heard_[0].body, "{\"a\":1}");
  EXPECT_EQ(heard_[0].headers.get("Content-Type"), "application/json");
  EXPECT_EQ(heard_[0].headers.get("X-Game"), "raid");
  EXPECT_EQ(heard_[0].headers.get("traceparent"), "00-aa-bb-01");
}

TEST_F(ProbeHttpTest, AHostAloneIsItsRoot) {
  EXPECT_EQ(ask({"GET", server_->url(), {}, {}}).status, 201);
  EXPECT_EQ(heard_.at(0).target, "/");
  EXPECT_EQ(ask({"GET", server_->url() + "?x=1", {}, {}}).status, 201);
  EXPECT_EQ(heard_.at(1).target, "/?x=1");
}

TEST_F(ProbeHttpTest, SaysWhyThereIsNoAnswer) {
  EXPECT_NE(ask({"GET", server_->url() + "/never", {}, {}}, Duration(50)).error, "");
  EXPECT_NE(ask({"GET", "http://127.0.0.1:1/", {}, {}}).error, "");
  EXPECT_EQ(ask({"GET", "nowhere", {}, {}}).error, "'nowhere' is no URL");
  // What an earlier answer put there cannot become another header.
  EXPECT_EQ(ask({"GET", server_->url(), {{"X-A", "a\r\nX-B: b"}}, {}}).error,
            "the header 'X-A' has a line break");
}

}  // namespace
}  // namespace showcaller
