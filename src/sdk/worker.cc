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
// Twice as many at most, each perhaps two deltas; the server takes 10,000 a batch.
constexpr std::size_t kSeriesMax = 2'500;

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
      queue_(options_.queue_max),
      buffer_(std::min(options_.series_max, kSeriesMax), options_.instance),
      source_(fmt::format("{:016x}", random_seed())),
      poll_back_off_(random_seed()),
      delivery_back_off_(random_seed()) {
  if (!transport_ && !options_.url.empty()) transport_ = make_http_transport({.url = options_.url});
  live_.context = options_.context;
  load_saved();
  publish();
}

void Worker::log(std::string_view message) const {
  if (options_.on_log) options_.on_log(message);
}

void Worker::set_status(ClientStatus status) {
  {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  ready_.notify_all();
}

bool Worker::wait_until_ready(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return ready_.wait_for(lock, timeout, [this] { return status_ == ClientStatus::Ready; });
}

void Worker::load_saved() {
  if (options_.state_file.empty()) return;
  auto saved = load_saved_flags(options_.state_file);
  if (!saved) {
    if (saved.error().code != showcaller::ErrorCode::NotFound) log(saved.error().message);
    return;
  }
  auto set = FlagSet::compile(std::move(saved->document));
  if (!set) return log(set.error().message);
  etag_ = std::move(saved->etag);
  live_.set = *std::move(set);
  live_.loaded = true;
  status_ = ClientStatus::Stale;
}

void Worker::publish() {
  flags_.publish(std::make_unique<LiveFlags>(live_));
}

void Worker::set_context(Context context) {
  const std::lock_guard lock(mutex_);
  live_.context = std::move(context);
  publish();
}

void Worker::set_trace(std::string_view traceparent) {
  const std::lock_guard lock(mutex_);
  trace_ = traceparent;
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
  if (now >= next_poll_) poll_flags(now);
  if (now >= next_delivery_) deliver(now);
  if (status_ == ClientStatus::Ready && now - last_answer_ > options_.stale_after)
    set_status(ClientStatus::Stale);
  return std::min(next_poll_, next_delivery_);
}

TransportRequest Worker::request(std::string_view method, std::string_view target) const {
  TransportRequest out{.method = std::string(method), .target = std::string(target)};
  if (!options_.token.empty())
    out.headers.emplace_back("Authorization", "Bearer " + options_.token);
  const std::lock_guard lock(mutex_);
  if (!trace_.empty()) out.headers.emplace_back("traceparent", trace_);
  return out;
}

void Worker::poll_flags(Instant now) {
  TransportRequest get = request("GET", kSnapshotTarget);
  if (!etag_.empty()) get.headers.emplace_back("If-None-Match", etag_);
  TransportResponse response = transport_->send(get);
  if (response.status == 200 || response.status == 304) return use_flags(std::move(response), now);
  const Duration wait = later_of(poll_back_off_.fail(), response.retry_after_s);
  next_poll_ = now + wait;
  log(fmt::format("flags: {}; asking again in {}",
                  response.status == 0 ? response.error : fmt::format("status {}", response.status),
                  format_duration(wait)));
}

void Worker::use_flags(TransportResponse response, Instant now) {
  if (response.status == 200) {
    auto set = FlagSet::parse(response.body);
    if (!set) {
      // What is in use stays in use.
      next_poll_ = now + poll_back_off_.fail();
      return log("flags: the server's definitions were refused: " + set.error().message);
    }
    for (const auto& finding : set->broken())
      log(fmt::format("flags: {}: {}", finding.pointer, finding.message));
    etag_ = response.etag;
    {
      const std::lock_guard lock(mutex_);
      live_.set = *set;
      live_.loaded = true;
      publish();
    }
    if (!options_.state_file.empty()) {
      const auto saved =
          save_flags(options_.state_file, {.etag = etag_, .document = set->document()});
      if (!saved) log(saved.error().message);
    }
    if (options_.on_flags_changed) options_.on_flags_changed();
  }
  poll_back_off_.succeed();
  last_answer_ = now;
  next_poll_ = now + options_.poll_every;
  set_status(ClientStatus::Ready);
}

void Worker::deliver(Instant now) {
  next_delivery_ = now + options_.flush_every;
  if (!pending_) {
    const std::lock_guard lock(mutex_);
    if (buffer_.empty()) return;
    pending_dropped_ = dropped() - told_dropped_;
    std::vector<TelemetryDelta> deltas = buffer_.take();
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
