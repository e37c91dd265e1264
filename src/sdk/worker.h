// SPDX-License-Identifier: Apache-2.0
// What the client does in the background: keeps the flags fresh, merges reports, delivers them.
//
// merge() never waits for the network; step() does all that does. A batch keeps its sequence until
// the server has answered for it, so that a lost answer does not count it twice. Threads: merge()
// from one, step() from one, the rest from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/time.h"
#include "flag/flag_set.h"
#include "sdk/back_off.h"
#include "sdk/report_queue.h"
#include "sdk/snapshot_cell.h"
#include "sdk/telemetry_buffer.h"
#include "showcaller/client.h"

namespace showcaller::sdk {

// What an evaluation reads.
struct LiveFlags {
  FlagSet set;
  bool loaded = false;
  Context context;  // the client's own
};

class Worker {
 public:
  explicit Worker(Options options);

  const SnapshotCell<LiveFlags>& flags() const { return flags_; }
  ReportQueue& queue() { return queue_; }
  void drop_one() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  std::int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  ClientStatus status() const { return status_.load(); }
  bool wait_until_ready(std::chrono::milliseconds timeout) const;

  void set_context(Context context);
  void set_trace(std::string_view traceparent);

  void merge();
  // Does what is due; gives when to come again.
  Instant step(Instant now);
  // Whatever is left, once, due or not.
  void deliver_rest(Instant now);
  void interrupt() { transport_->interrupt(); }
  bool has_server() const { return transport_ != nullptr; }

 private:
  void load_saved();
  void poll_flags(Instant now);
  void use_flags(TransportResponse response, Instant now);
  void deliver(Instant now);
  void publish();
  void set_status(ClientStatus status);
  void log(std::string_view message) const;
  TransportRequest request(std::string_view method, std::string_view target) const;

  Options options_;
  std::shared_ptr<Transport> transport_;
  SnapshotCell<LiveFlags> flags_;
  ReportQueue queue_;
  std::atomic<std::int64_t> dropped_{0};
  std::atomic<ClientStatus> status_{ClientStatus::NotReady};

  mutable std::mutex mutex_;  // what follows; never taken while evaluating or reporting
  mutable std::condition_variable ready_;
  LiveFlags live_;
  TelemetryBuffer buffer_;
  std::string trace_;

  // Of step() alone.
  std::string source_;
  std::string etag_;
  Instant next_poll_{};
  Instant last_answer_{};
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
