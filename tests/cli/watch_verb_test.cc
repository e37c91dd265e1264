// SPDX-License-Identifier: Apache-2.0
// `showcaller watch`, where the server has more to tell than it kept for those who come back.
#include "cli/watch_verb.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "cli/cli.h"
#include "net/http_server.h"
#include "net/sse.h"

namespace showcaller::test {
namespace {

json::object phase_record(std::uint64_t seq, const std::string& to) {
  return {{"seq", seq},
          {"time", "2026-12-01T12:00:00.000Z"},
          {"kind", "phase_changed"},
          {"payload", {{"event", "gala"}, {"to", to}}},
          {"line", fmt::format("record {}: {}", seq, to)}};
}

// Has told a watcher of record 3 when it leaves out 4 and 5, which its history has.
class ForgetfulServer {
 public:
  ForgetfulServer() {
    server_ = *HttpServer::start({}, [this](HttpRequest&& request, Responder responder) {
      answer(request, std::move(responder));
    });
  }
  std::string url() const { return server_->url(); }
  std::vector<std::string> targets() {
    const std::lock_guard lock(mutex_);
    return targets_;
  }

 private:
  void answer(const HttpRequest& request, Responder responder) {
    {
      const std::lock_guard lock(mutex_);
      targets_.push_back(request.target);
    }
    if (request.path == "/api/v1/watch") return watch(std::move(responder));
    json::value body;
    if (request.path == "/api/v1/events/gala") {
      body = json::object{{"applied_seq", 3}, {"phase", caught_up_ ? "Live" : "RollingOut"}};
    } else {
      json::array records;
      if (!caught_up_ && watched_ == 0) records = {phase_record(3, "RollingOut")};
      if (watched_ > 0) {
        records = {phase_record(4, "RollingOut"), phase_record(5, "Live")};
        caught_up_ = true;
      }
      body = json::object{{"records", std::move(records)}, {"next", nullptr}};
    }
    responder.send({.headers = {{"Content-Type", "application/json"}}, .body = to_json_text(body)});
  }

  void watch(Responder responder) {
    ++watched_;
    const auto stream =
        responder.stream({.headers = {{"Content-Type", "text/event-stream"}}, .body = ""});
    stream->write(format_sse({"5", "missed", R"({"after":3,"before":6})"}));
    stream->close();
  }

  std::mutex mutex_;
  std::vector<std::string> targets_;
  std::atomic<int> watched_ = 0;
  std::atomic<bool> caught_up_ = false;
  std::unique_ptr<HttpServer> server_;  // last: it ends before what it answers from
};

TEST(WatchVerb, ReadsFromTheHistoryWhatItMissed) {
  ForgetfulServer server;
  ClientContext context;
  context.address.url = server.url();
  WatchRequest request{.event = "gala", .until = {"Live"}, .timeout = seconds(30)};
  testing::internal::CaptureStdout();
  const int code = watch_verb(context, request);
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, kExitOk);
  for (const char* line : {"record 3: RollingOut", "record 4: RollingOut", "record 5: Live"})
    EXPECT_NE(said.find(line), std::string::npos) << said;
  const auto targets = server.targets();
  EXPECT_TRUE(std::ranges::any_of(targets, [](const std::string& target) {
    return target.starts_with("/api/v1/history?from=4&");
  })) << fmt::format("{}", fmt::join(targets, " "));
}

}  // namespace
}  // namespace showcaller::test
