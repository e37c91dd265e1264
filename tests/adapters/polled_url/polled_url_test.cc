// SPDX-License-Identifier: Apache-2.0
#include "adapters/polled_url/polled_url.h"

#include <atomic>
#include <mutex>

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "tests/adapters/document_heard.h"

namespace showcaller {
namespace {

// Gives a text with an entity tag to whoever has the token.
class Giver {
 public:
  Giver() {
    auto started = HttpServer::start({}, [this](HttpRequest&& request, Responder responder) {
      responder.send(answer(request));
    });
    EXPECT_TRUE(started);
    server_ = *std::move(started);
  }
  ~Giver() { server_->stop(Duration(0)); }

  std::string url() const { return server_->url() + "/flags?a=b"; }
  void give(int status, const std::string& text) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    text_ = text;
  }

  std::atomic<int> unchanged = 0;

 private:
  HttpResponse answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    if (request.target != "/flags?a=b") return text_response(404, "");
    if (request.headers.get("Authorization") != "Bearer t") return text_response(401, "");
    const std::string etag = "\"" + text_ + "\"";
    if (request.headers.get("If-None-Match") == etag && status_ == 200) {
      ++unchanged;
      return text_response(304, "");
    }
    HttpResponse response = text_response(status_, text_);
    response.headers.add("ETag", etag);
    return response;
  }

  std::mutex mutex_;
  int status_ = 200;
  std::string text_ = "one";
  std::unique_ptr<HttpServer> server_;
};

TEST(PolledUrl, EachTextOnceAndTroubleOnce) {
  Giver giver;
  DocumentHeard heard;
  PolledUrl url(
      {.url = giver.url(), .headers = {{"Authorization", "Bearer t"}}, .interval = Duration(5)});
  url.start(heard.sink());
  EXPECT_EQ(heard.next(), "one");
  while (giver.unchanged < 3) std::this_thread::yield();
  EXPECT_TRUE(heard.is_quiet());
  giver.give(200, "two");
  EXPECT_EQ(heard.next(), "two");
  giver.give(500, "oops");
  EXPECT_EQ(heard.next(), "error unavailable");
  giver.give(200, "two");
  EXPECT_EQ(heard.next(), "two");
}

TEST(PolledUrl, AWrongTokenIsTrouble) {
  const Giver giver;
  DocumentHeard heard;
  PolledUrl url({.url = giver.url()});
  url.start(heard.sink());
  EXPECT_EQ(heard.next(), "error unavailable");
}

}  // namespace
}  // namespace showcaller
