// SPDX-License-Identifier: Apache-2.0
// The part of the worker that reads the stream of changes.
#include <utility>

#include <fmt/format.h>

#include "sdk/worker.h"

namespace showcaller::sdk {
namespace {

constexpr std::string_view kStreamTarget = "/api/v1/flags/stream";
constexpr std::size_t kEventBytesMax = 64u << 20;

Instant wall_now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

}  // namespace

bool Worker::has_stream() const {
  return options_.stream && transport_ != nullptr && transport_->has_streams();
}

void Worker::interrupt_stream() {
  if (has_stream()) transport_->interrupt_stream();
}

TransportRequest Worker::stream_request() const {
  const bool at_server = options_.rules == Rules::AtServer;
  TransportRequest out = request(at_server ? "POST" : "GET", kStreamTarget);
  if (const std::string revision = store_.revision(); !revision.empty())
    out.headers.emplace_back("Last-Event-ID", revision);
  if (at_server) {
    out.headers.emplace_back("Content-Type", "application/json");
    out.body = fmt::format(R"({{"context":{}}})", store_.context().to_json());
  }
  return out;
}

Instant Worker::follow(Instant now) {
  if (stream_refused_) return now + hours(1);
  SseParser parser(kEventBytesMax);
  const bool reconciles = reconciling_.exchange(false);
  bool heard_events = false;
  const TransportResponse response =
      transport_->stream(stream_request(), [&](std::string_view bytes) {
        last_answer_ = wall_now();
        if (!take_events(bytes, &parser)) return false;
        // A stream's first event says that what is in use is in force.
        const bool first = !heard_events && !parser.last_event_id().empty();
        heard_events |= first;
        if (first) {
          stream_alive_ = true;
          stream_back_off_.succeed();
          set_status(ClientStatus::Ready);
          if (reconciles) tell({.event = Event::ContextChanged});
        }
        return !closing_ && !reconciling_;
      });
  stream_alive_ = false;
  const bool begin_anew = reconciling_;
  if (reconciles && !heard_events) reconciling_ = true;
  if (begin_anew) return wall_now();
  return wall_now() + after_stream(response);
}

// How long to wait.
Duration Worker::after_stream(const TransportResponse& response) {
  const bool none_there =
      response.status == 404 || response.status == 405 || response.status == 501;
  if (none_there && options_.rules == Rules::Here) {
    stream_refused_ = true;
    poll_now_ = true;
    log("flags: the server has no stream of changes; it is asked for them instead");
    return hours(1);
  }
  const Duration wait = std::max(stream_back_off_.fail(),
                                 seconds(std::min<std::int64_t>(response.retry_after_s, 3600)));
  const std::string what = response.status == 0     ? response.error
                           : response.status == 200 ? std::string("the stream has ended")
                                                    : fmt::format("status {}", response.status);
  if (!closing_)
    log(fmt::format("flags: {}; following them again in {}", what, format_duration(wait)));
  if (status_ == ClientStatus::NotReady && response.status != 200)
    set_status(ClientStatus::Error, what);
  return wait;
}

// False: what is there can't be built upon, and the next stream begins anew.
bool Worker::take_events(std::string_view bytes, SseParser* parser) {
  for (const SseEvent& event : parser->feed(bytes)) {
    Changes changes;
    if (event.event == "snapshot")
      changes = store_.replace(event.data, event.id);
    else if (event.event == "delta")
      changes = store_.apply_delta(event.data, event.id);
    else
      continue;
    if (!changes) {
      log("flags: what the server sent was refused: " + changes.error().message);
      return false;
    }
    tell_changes(*std::move(changes));
  }
  return true;
}

}  // namespace showcaller::sdk
