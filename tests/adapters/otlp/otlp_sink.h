// SPDX-License-Identifier: Apache-2.0
// A collector for tests: a real HTTP server that keeps the bodies it was sent, and answers as the
// test says.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/http_server.h"

namespace showcaller {

class OtlpSink {
 public:
  struct Heard {
    std::string path, content_type, key, body;
  };

  OtlpSink() {
    auto started = HttpServer::start({}, [this](HttpRequest&& request, Responder responder) {
      std::lock_guard lock(mutex_);
      HttpResponse answer{200, {{"Content-Type", "application/x-protobuf"}}, ""};
      if (!answers_.empty()) {
        answer = std::move(answers_.front());
        answers_.pop_front();
      }
      heard_.push_back({request.path, std::string(request.headers.get("Content-Type")),
                        std::string(request.headers.get("api-key")), std::move(request.body)});
      responder.send(std::move(answer));
      changed_.notify_all();
    });
    EXPECT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
  }

  std::string url() const { return server_->url(); }
  // Before the usual 200.
  void answer_first(HttpResponse answer) {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  // Once it has heard so many; fails the test after a while.
  std::vector<Heard> wait_for(std::size_t requests) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20),
                                  [&] { return heard_.size() >= requests; }));
    return heard_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<HttpResponse> answers_;
  std::vector<Heard> heard_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace showcaller
