// SPDX-License-Identifier: Apache-2.0
// Runs the engine over a journal: a batch of inputs is decided and folded, appended with one fsync,
// then published, and only then acknowledged. Nobody ever sees what is not durable.
//
// If an append fails, the world that was folded ahead of the disk is dropped and loaded again from
// the journal, and the batch is answered with the error; after a Conflict (another server owns the
// journal) the host stays stopped.
//
// Threads: one thread calls run_batch(); submit(), published() and now() may be called by any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "flow/port/journal.h"
#include "host/mailbox.h"
#include "host/port/clock.h"

namespace showcaller {

struct EngineHostOptions {
  std::size_t mailbox_max = 10'000;
  std::size_t batch_max = 1'000;
  std::uint64_t snapshot_every = 50'000;  // records
  std::string version = "0";              // told in server_started
};

// Told, on the engine's thread, of each batch that has become durable, before its commands are
// acknowledged. Whoever needs longer than a moment keeps the records and goes on elsewhere.
using RecordBatch = std::shared_ptr<const std::vector<Record>>;
using BatchListener = std::function<void(const World& world, const RecordBatch& records)>;

class EngineHost {
 public:
  static Result<std::unique_ptr<EngineHost>> open(Journal* journal, const Clock* clock,
                                                  EngineHostOptions options);

  // The reply comes on the engine's thread, when the records are durable or the input is refused.
  Status submit(Input input, Reply reply = {});
  // Decides what waits (waiting at most `wait` for a first letter); true if there was something.
  // Errors are those of the journal: Conflict is final.
  Result<bool> run_batch(Duration wait = {});

  std::shared_ptr<const World> published() const;
  Instant now() const;
  std::uint64_t epoch() const { return epoch_; }
  bool stopped() const { return stopped_; }
  std::size_t waiting() const { return mailbox_.size(); }
  void wake() { mailbox_.wake(); }
  // Before the thread that calls run_batch() starts.
  void listen(BatchListener listener) { listeners_.push_back(std::move(listener)); }
  // On the engine's thread: also when the server ends.
  Status write_snapshot();

 private:
  EngineHost(Journal* journal, const Clock* clock, EngineHostOptions options);
  Status load();
  Status boot();
  Status append(std::span<const Record> records);
  void publish();
  Status recover(const Error& error);

  Journal* journal_;
  const Clock* clock_;
  EngineHostOptions options_;
  Mailbox mailbox_;
  std::unique_ptr<Engine> engine_;
  Sha256 tail_hash_{};
  std::uint64_t epoch_ = 0;
  std::uint64_t snapshot_seq_ = 0;
  std::vector<BatchListener> listeners_;
  std::atomic<bool> stopped_ = false;
  mutable std::mutex published_mutex_;  // held for a pointer's copy
  std::shared_ptr<const World> published_;
  // Engine time: wall time at the anchor plus monotonic time since; a wall clock that steps moves
  // the anchor.
  mutable std::mutex time_mutex_;
  mutable Instant anchor_wall_{};
  mutable Duration anchor_monotonic_{};
  mutable Instant last_now_{};

 public:
  // The wall clock's step since the last call, if over two seconds; the anchor follows it. The
  // caller submits it.
  std::optional<std::int64_t> take_clock_step();
};

}  // namespace showcaller
