// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_verb.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <limits>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/terminal.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

using WatchClock = std::chrono::steady_clock;
constexpr auto kBetweenTries = std::chrono::milliseconds(200);

// A stream in which nothing comes is interrupted when the time is over.
class Alarm {
 public:
  Alarm(ApiClient* client, Duration after)
      : deadline_(after.count() > 0 ? WatchClock::now() + after : WatchClock::time_point::max()),
        thread_([this, client](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          if (deadline_ == WatchClock::time_point::max()) return;
          if (!stopped_.wait_until(lock, stop, deadline_, [] { return false; }) &&
              !stop.stop_requested())
            client->interrupt();
        }) {}

  bool rang() const { return WatchClock::now() >= deadline_; }

 private:
  const WatchClock::time_point deadline_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

class Watching {
 public:
  Watching(const ClientContext& context, const WatchRequest& request, ApiClient* client)
      : context_(context), request_(request), client_(*client), alarm_(client, request.timeout) {}

  int run();

 private:
  Status begin();
  Status catch_up(std::uint64_t from);
  bool show(const json::object& record);
  bool reached() const { return std::ranges::find(request_.until, phase_) != request_.until.end(); }
  int timed_out() const;

  const ClientContext& context_;
  const WatchRequest& request_;
  ApiClient& client_;
  std::uint64_t after_ = 0;
  std::string phase_;
  Alarm alarm_;
};

// Who comes late to an event has missed nothing: it is told from its revision's beginning.
Status Watching::begin() {
  if (request_.event.empty()) {
    TRY(const auto status, client_.get("/api/v1/status"));
    after_ = std::uint64_t(get_int(status.as_object(), "seq"));
    return {};
  }
  TRY(const auto event, client_.get("/api/v1/events/" + percent_encode(request_.event)));
  return catch_up(std::uint64_t(get_int(event.as_object(), "applied_seq")));
}

// Reads what became durable without being watched. The phase is read last: it may only be newer
// than the records.
Status Watching::catch_up(std::uint64_t from) {
  TRY(client_.history({.event = request_.event,
                       .kind = {},
                       .from = from,
                       .limit = std::numeric_limits<std::size_t>::max()},
                      [this](const json::object& record) {
                        show(record);
                        return true;
                      }));
  if (request_.event.empty()) return {};
  TRY(const auto event, client_.get("/api/v1/events/" + percent_encode(request_.event)));
  phase_ = text_at(event.as_object(), "phase");
  return {};
}

// False: enough.
bool Watching::show(const json::object& record) {
  after_ = std::max(after_, std::uint64_t(get_int(record, "seq")));
  const std::string kind = text_at(record, "kind");
  const json::object& payload = record.at("payload").as_object();
  if (kind == "phase_changed" && text_at(payload, "event") == request_.event)
    phase_ = text_at(payload, "to");
  const bool noise = kind.starts_with("instance_") || kind == "sessions_counted";
  if (!noise || request_.instances) {
    const std::string time = text_at(record, "time");
    if (context_.form == OutputForm::Json)
      say(to_json_text(record));
    else if (context_.form == OutputForm::Yaml)
      say("---\n" + yaml_text(record));
    else
      say(fmt::format("{}  {}", coloured(time.size() >= 19 ? time.substr(11, 8) : time, "dim"),
                      text_at(record, "line")));
    std::fflush(stdout);
  }
  return !reached() && !alarm_.rang();
}

int Watching::timed_out() const {
  const std::string waited = format_duration(request_.timeout);
  print_error({ErrorCode::Unavailable,
               request_.event.empty()
                   ? fmt::format("the time of {} is over", waited)
                   : fmt::format("{} is {} after {}", request_.event, phase_, waited)});
  return kExitRefused;
}

int Watching::run() {
  Status begun = begin();
  while (begun && !reached() && !alarm_.rang()) {
    const auto watched = client_.watch(request_.event, after_,
                                       [this](const json::object& record) { return show(record); });
    if (watched && *watched == WatchEnd::SomeLeftOut)
      begun = catch_up(after_ + 1);
    else if (!watched && watched.error().code != ErrorCode::Unavailable)
      begun = std::unexpected(watched.error());
    else if (!reached() && !alarm_.rang())
      std::this_thread::sleep_for(kBetweenTries);  // It went away: come back where we were.
  }
  if (reached()) return phase_ == request_.until.front() ? kExitOk : kExitRefused;
  return alarm_.rang() ? timed_out() : failed(begun.error());
}

}  // namespace

int watch_verb(const ClientContext& context, const WatchRequest& request) {
  if (request.event.empty() && !request.until.empty()) {
    print_error({ErrorCode::Invalid,
                 "--until waits for the phase of one event; name it: showcaller watch EVENT"});
    return kExitUsage;
  }
  auto client = ApiClient::open(context.address);
  if (!client) return failed(client.error());
  return Watching(context, request, &*client).run();
}

}  // namespace showcaller
