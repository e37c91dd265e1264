// SPDX-License-Identifier: Apache-2.0
// What the client does in the background: keeps the flags fresh, merges reports, delivers them.
//
// merge() never waits for the network; step() does all that does but follow(), which reads the
// stream of changes until it breaks. While the stream is alive nothing is polled. A batch keeps its
// sequence until the server has answered for it, so that a lost answer does not count it twice.
// Threads: merge() from one, step() from one, follow() from one, the rest from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/time.h"
#include "net/sse.h"
#include "sdk/back_off.h"
#include "sdk/event_hub.h"
#include "sdk/flag_store.h"
#include "sdk/report_queue.h"
#include "sdk/telemetry_buffer.h"
#include "showcaller/client.h"

namespace showcaller::sdk {

class Worker {
 public:
  explicit Worker(Options options);

  const SnapshotCell<LiveFlags>& flags() const { return store_.flags(); }
  const std::string& name() const { return options_.name; }
  ReportQueue& queue() { return queue_; }
  void drop_one() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  std::int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  ClientStatus status() const { return status_.load(); }
  bool wait_until_ready(std::chrono::milliseconds timeout) const;

  void set_context(Context context);
  HandlerId on(Event event, EventHandler handler);
  void off(HandlerId id) { events_.remove(id); }
  void set_trace(std::string_view traceparent, std::string_view tracestate);

  void merge();
  // Does what is due; gives when to come again.
  Instant step(Instant now);
  // Whatever is left, once, due or not.
  void deliver_rest(Instant now);
  // Reads the stream until it ends; gives when to try again.
  Instant follow(Instant now);
  void interrupt() { transport_->interrupt(); }
  void interrupt_stream();
  bool has_server() const { return transport_ != nullptr; }
  bool has_stream() const;
  void close() { closing_ = true; }

 private:
  using Changes = Result<std::vector<std::string>>;

  void load_saved();
  void poll_flags(Instant now);
  Changes use_snapshot(const TransportResponse& response);
  bool take_events(std::string_view bytes, SseParser* parser);
  Duration after_stream(const TransportResponse& response);
  void tell_changes(std::vector<std::string> keys);
  void add_evaluations(std::vector<TelemetryDelta>* deltas);
  void deliver(Instant now);
  void set_status(ClientStatus status, std::string message = {});
  void tell(EventDetails details) const;
  void log(std::string_view message) const;
  TransportRequest request(std::string_view method, std::string_view target) const;
  TransportRequest stream_request() const;

  Options options_;
  std::shared_ptr<Transport> transport_;
  FlagStore store_;
  EventHub events_;
  ReportQueue queue_;
  std::atomic<std::int64_t> dropped_{0};
  std::atomic<ClientStatus> status_{ClientStatus::NotReady};
  std::atomic<bool> closing_{false};
  std::atomic<bool> stream_alive_{false};
  std::atomic<bool> stream_refused_{false};  // there is none at this server
  std::atomic<bool> poll_now_{false};
  std::atomic<bool> reconciling_{false};  // the context was changed, and is decided for anew
  std::atomic<Instant> last_answer_{};

  mutable std::mutex mutex_;  // what follows; never taken while evaluating or reporting
  mutable std::condition_variable ready_;
  TelemetryBuffer buffer_;
  std::string trace_, trace_state_;

  // Of follow() alone.
  BackOff stream_back_off_;

  // Of step() alone.
  std::string source_;
  bool stepped_ = false;
  Instant next_poll_{};
  BackOff poll_back_off_;
  BackOff delivery_back_off_;
  Instant next_delivery_{};
  std::int64_t sequence_ = 0;
  std::int64_t told_dropped_ = 0;
  std::optional<std::string> pending_;  // the batch on its way, as sent
  std::int64_t pending_dropped_ = 0;
  std::int64_t pending_deltas_ = 0;
};

}  // namespace showcaller::sdk
