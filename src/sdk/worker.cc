// SPDX-License-Identifier: Apache-2.0
#include "sdk/worker.h"

#include <random>
#include <utility>

#include <fmt/format.h>

#include "codec/telemetry.h"
#include "sdk/context_attributes.h"
#include "sdk/state_file.h"

namespace showcaller::sdk {
namespace {

constexpr std::string_view kSnapshotTarget = "/api/v1/flags/snapshot";
constexpr std::string_view kTelemetryTarget = "/api/v1/telemetry";
constexpr std::size_t kDeltasMax = 10'000;  // the server takes them in a batch
// Twice as many at most, each perhaps two deltas.
constexpr std::size_t kSeriesMax = kDeltasMax / 4;

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t(device()) << 32) | device();
}

Duration later_of(Duration wait, std::int64_t retry_after_s) {
  return std::max(wait, seconds(std::clamp<std::int64_t>(retry_after_s, 0, 3600)));
}

}  // namespace

Worker::Worker(Options options)
    : options_(std::move(options)),
      transport_(options_.transport),
      store_(options_.state_file, options_.context),
      queue_(options_.queue_max),
      buffer_(std::min(options_.series_max, kSeriesMax), options_.instance),
      stream_back_off_(random_seed()),
      source_(fmt::format("{:016x}", random_seed())),
      poll_back_off_(random_seed()),
      delivery_back_off_(random_seed()) {
  if (!transport_ && !options_.url.empty()) transport_ = make_http_transport({.url = options_.url});
  load_saved();
}

void Worker::log(std::string_view message) const {
  if (options_.on_log) options_.on_log(message);
}

void Worker::tell(EventDetails details) const {
  details.client = options_.name;
  events_.tell(details);
  process_events().tell(details);
}

namespace {

Event event_of(ClientStatus status) {
  if (status == ClientStatus::Ready) return Event::Ready;
  return status == ClientStatus::Stale ? Event::Stale : Event::Error;
}

}  // namespace

void Worker::set_status(ClientStatus status, std::string message) {
  {
    const std::lock_guard lock(mutex_);
    if (status_.exchange(status) == status) return;
  }
  ready_.notify_all();
  tell({.event = event_of(status),
        .client = {},
        .message = std::move(message),
        .flags_changed = {}});
}

// Whoever comes late is told what is so already.
HandlerId Worker::on(Event event, EventHandler handler) {
  const HandlerId id = events_.add(event, handler);
  const ClientStatus now = status_;
  if (now != ClientStatus::NotReady && event == event_of(now))
    call_handler(handler,
                 {.event = event, .client = options_.name, .message = {}, .flags_changed = {}});
  return id;
}

bool Worker::wait_until_ready(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return ready_.wait_for(lock, timeout, [this] { return status_ == ClientStatus::Ready; });
}

void Worker::load_saved() {
  if (options_.state_file.empty()) return;
  const auto loaded = store_.load();
  if (loaded) {
    status_ = ClientStatus::Stale;
  } else if (loaded.error().code != showcaller::ErrorCode::NotFound) {
    log(loaded.error().message);
  }
}

void Worker::set_context(Context context) {
  store_.set_context(std::move(context));
  if (options_.rules == Rules::Here) return tell({.event = Event::ContextChanged});
  reconciling_ = true;
  tell({.event = Event::Reconciling});
  interrupt_stream();
}

void Worker::set_trace(std::string_view traceparent, std::string_view tracestate) {
  const std::lock_guard lock(mutex_);
  trace_ = traceparent;
  trace_state_ = traceparent.empty() ? std::string_view() : tracestate;
}

void Worker::merge() {
  const std::lock_guard lock(mutex_);
  Report report;
  while (queue_.pop(&report)) {
    if (!buffer_.add(report)) drop_one();
  }
}

Instant Worker::step(Instant now) {
  if (!transport_) return now + hours(1);
  const bool first = std::exchange(stepped_, true) == false;
  const bool stream_will_tell = stream_alive_ || (first && has_stream());
  if (stream_will_tell || options_.rules == Rules::AtServer) next_poll_ = now + options_.poll_every;
  if (poll_now_.exchange(false)) next_poll_ = now;
  if (now >= next_poll_) poll_flags(now);
  if (now >= next_delivery_) deliver(now);
  if (status_ == ClientStatus::Ready && now - last_answer_.load() > options_.stale_after)
    set_status(ClientStatus::Stale, "the server has not answered for a while");
  return std::min(next_poll_, next_delivery_);
}

TransportRequest Worker::request(std::string_view method, std::string_view target) const {
  TransportRequest out{.method = std::string(method), .target = std::string(target)};
  if (!options_.token.empty())
    out.headers.emplace_back("Authorization", "Bearer " + options_.token);
  const std::lock_guard lock(mutex_);
  if (!trace_.empty()) out.headers.emplace_back("traceparent", trace_);
  if (!trace_state_.empty()) out.headers.emplace_back("tracestate", trace_state_);
  return out;
}

void Worker::poll_flags(Instant now) {
  TransportRequest get = request("GET", kSnapshotTarget);
  if (const std::string revision = store_.revision(); !revision.empty())
    get.headers.emplace_back("If-None-Match", fmt::format("\"{}\"", revision));
  const TransportResponse response = transport_->send(get);
  if (stream_alive_) return;  // It is ahead.
  if (response.status == 200 || response.status == 304) {
    const auto changes = response.status == 200 ? use_snapshot(response) : Changes();
    if (changes) {
      poll_back_off_.succeed();
      next_poll_ = now + options_.poll_every;
      last_answer_ = now;
      set_status(ClientStatus::Ready);
      return tell_changes(*changes);
    }
    // What is in use stays in use.
    next_poll_ = now + poll_back_off_.fail();
    return log("flags: the server's definitions were refused: " + changes.error().message);
  }
  const Duration wait = later_of(poll_back_off_.fail(), response.retry_after_s);
  next_poll_ = now + wait;
  const std::string what =
      response.status == 0 ? response.error : fmt::format("status {}", response.status);
  log(fmt::format("flags: {}; asking again in {}", what, format_duration(wait)));
  if (status_ == ClientStatus::NotReady) set_status(ClientStatus::Error, what);
}

Worker::Changes Worker::use_snapshot(const TransportResponse& response) {
  std::string_view revision = response.etag;
  if (revision.starts_with('"')) revision = revision.substr(1, revision.size() - 2);
  return store_.replace(response.body, std::string(revision));
}

void Worker::tell_changes(std::vector<std::string> keys) {
  if (keys.empty()) return;
  for (const std::string& finding : store_.broken()) log("flags: " + finding);
  if (const std::string trouble = store_.take_disk_trouble(); !trouble.empty()) log(trouble);
  tell({.event = Event::ConfigurationChanged,
        .client = {},
        .message = {},
        .flags_changed = std::move(keys)});
}

// As far as a batch has room: the rest goes with the next.
void Worker::add_evaluations(std::vector<TelemetryDelta>* deltas) {
  if (!options_.report_evaluations) return;
  for (const CountedAnswer& answer : store_.take_counts(kDeltasMax - deltas->size())) {
    if (answer.key.contains('=')) continue;  // It could not be told from the variant.
    deltas->push_back({.metric = std::string(metric::kFlagEvaluated),
                       .stratum = answer.key + "=" + answer.variant,
                       .n = answer.times});
  }
}

void Worker::deliver(Instant now) {
  next_delivery_ = now + options_.flush_every;
  if (!pending_) {
    const std::lock_guard lock(mutex_);
    std::vector<TelemetryDelta> deltas = buffer_.take();
    add_evaluations(&deltas);
    if (deltas.empty()) return;
    pending_dropped_ = dropped() - told_dropped_;
    pending_deltas_ = std::int64_t(deltas.size());
    pending_ = encode_telemetry({.source = source_,
                                 .sequence = ++sequence_,
                                 .trust = parse_trust(options_.trust).value_or(Trust::Client),
                                 .sent_ms = to_ms(now),
                                 .dropped = pending_dropped_,
                                 .trace = trace_,
                                 .deltas = std::move(deltas)});
  }
  TransportRequest post = request("POST", kTelemetryTarget);
  post.headers.emplace_back("Content-Type", "application/json");
  post.body = *pending_;
  const TransportResponse response = transport_->send(post);
  const bool accepted = response.status >= 200 && response.status < 300;
  if (accepted) {
    told_dropped_ += pending_dropped_;
    pending_.reset();
    delivery_back_off_.succeed();
    return;
  }
  // What the server refuses for what it is will not get better; 429 is about when.
  const bool refused = response.status >= 400 && response.status < 500 && response.status != 429;
  if (refused) {
    log(fmt::format("telemetry: a batch of {} deltas was refused and is dropped: {}",
                    pending_deltas_, response.body.substr(0, 500)));
    dropped_.fetch_add(pending_deltas_, std::memory_order_relaxed);
    pending_.reset();
  }
  const Duration wait = later_of(delivery_back_off_.fail(), response.retry_after_s);
  next_delivery_ = now + wait;
  log(fmt::format("telemetry: {}; trying again in {}",
                  response.status == 0 ? response.error : fmt::format("status {}", response.status),
                  format_duration(wait)));
}

void Worker::deliver_rest(Instant now) {
  if (!transport_) return;
  merge();
  const bool had_pending = pending_.has_value();
  deliver(now);
  if (had_pending && !pending_) deliver(now);
}

}  // namespace showcaller::sdk
