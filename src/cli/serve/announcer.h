// SPDX-License-Identifier: Apache-2.0
// Tells what has become durable to the log and to those who watch, on a thread of its own, so that
// no command waits for a slow terminal. If it falls far behind, whole batches are left out: those
// who watch are told `missed`, the log says how many records it lacks, the journal has them all.
//
// Threads: tell() by the engine's; the log and the hub have their own rules.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>

#include "host/engine_host.h"
#include "wire/log.h"
#include "wire/watch_hub.h"

namespace showcaller {

class Announcer {
 public:
  static constexpr std::size_t kWaitingMax = 100'000;  // records

  Announcer(Log* log, WatchHub* hub);
  // Tells what waits, then ends.
  ~Announcer();
  void tell(const RecordBatch& records);

 private:
  void run(std::stop_token stop);
  void announce(const RecordBatch& records);

  Log* log_;
  WatchHub* hub_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<RecordBatch> waiting_;
  std::size_t waiting_records_ = 0, left_out_ = 0;
  std::jthread thread_;
};

}  // namespace showcaller
