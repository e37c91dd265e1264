// SPDX-License-Identifier: Apache-2.0
// Tells what has become durable to the log and to those who watch, on a thread of its own, so that
// no command waits for a slow terminal. If it falls far behind, whole batches are left out: those
// who watch are told `missed`, the log says how many records it lacks, the journal has them all.
// Spans of what was left out are not told.
//
// Threads: tell() by the engine's; the log, the hub and the sink have their own rules.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>

#include "engine/trace_fold.h"
#include "host/engine_host.h"
#include "host/port/span_sink.h"
#include "wire/log.h"
#include "wire/watch_hub.h"

namespace showcaller {

class Announcer {
 public:
  static constexpr std::size_t kWaitingMax = 100'000;  // records

  // `world`: what was published before the first batch. `spans`: null where nobody collects them.
  Announcer(Log* log, WatchHub* hub, World world, SpanSink* spans);
  // Tells what waits, then ends.
  ~Announcer();
  // A batch, and the world after it.
  void tell(const World& world, const RecordBatch& records);

 private:
  struct Waiting {
    RecordBatch records;
    World after;  // shared with what is published
  };
  void run(std::stop_token stop);
  void announce(const Waiting& batch);

  Log* log_;
  WatchHub* hub_;
  SpanSink* spans_;
  TraceFold fold_;  // of the thread
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_records_ = 0, left_out_ = 0;
  std::jthread thread_;
};

}  // namespace showcaller
