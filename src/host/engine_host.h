// SPDX-License-Identifier: Apache-2.0
// Runs the engine over a journal: a batch of inputs is decided and folded, appended with one fsync,
// then published, and only then acknowledged. Nobody ever sees what is not durable.
//
// If an append fails, the world that was folded ahead of the disk is dropped, and the batch is
// answered with the error. A full disk (Limit) wrote nothing: the host goes on from what it
// published, and each later batch tries again. What nobody knows (Unavailable) is read again from
// the journal, with growing pauses until that succeeds; meanwhile commands are refused, and all
// that lives on the published world goes on. Only a journal that another server leads (Conflict) or
// that does not hold (Corrupt) stops the host for good.
//
// Threads: any. run_batch() may be called by two threads, and is then a pipeline: while one writes,
// the other decides what came meanwhile, and it becomes durable with the next fsync. Who finds
// nobody writing writes. With one thread (tests, rehearsals) everything happens inside the call.
// A thread that serves sockets leaves its commands with post() and then calls settle(), which does
// the work in place while that is a matter of microseconds: a command that comes alone then never
// changes hands.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
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
  Duration snapshot_apart = seconds(5);   // at least, however many records there are
  std::string version = "0";              // told in server_started
  std::uint64_t epoch_after = 0;          // lead with a higher one, whatever the journal knows
};

// Told, one batch after another, of what has become durable, before its commands are acknowledged.
// Whoever needs longer than a moment keeps the records and goes on elsewhere.
using RecordBatch = std::shared_ptr<const std::vector<Record>>;
using BatchListener = std::function<void(const World& world, const RecordBatch& records)>;

class EngineHost {
 public:
  static Result<std::unique_ptr<EngineHost>> open(Journal* journal, const Clock* clock,
                                                  EngineHostOptions options);

  // The reply comes from within run_batch() or settle(), when the records are durable or the input
  // is refused, in the order of the records, and may call neither; from anywhere, Unavailable, once
  // the host has stopped for good.
  Status submit(Input input, Reply reply = {});
  // The same, but decided only after the next settle(), together with all that was posted. A letter
  // that is refused is still the caller's.
  Status post(Letter* letter);
  // Decided together if they fit a batch; what is refused is replied to from within the call.
  void post_all(std::vector<Letter> letters);
  // Decides what was posted here and now, if it is little, the engine is free and the disk quick;
  // else whoever waits in run_batch() does.
  void settle();
  // Decides what waits (waiting at most `wait` for a first letter); true if there was something.
  // Errors are those of the journal: Conflict is final.
  Result<bool> run_batch(Duration wait = {});

  std::shared_ptr<const World> published() const;
  // Engine time: of the last record when the server started, or the wall clock if that was ahead,
  // and monotonic time since. Bakes, time-outs and back-offs are measured by it.
  Instant now() const;
  // What the wall clock shows, as the published world knows it: for dates.
  Instant wall() const;
  // How far the wall clock is from engine time. The caller submits it; the engine tells a step.
  ClockObserved observe_clock() const;
  std::uint64_t epoch() const { return epoch_; }
  bool stopped() const { return stopped_; }
  // Why the journal takes no records at the moment, or, once stopped, any more.
  std::optional<Error> trouble() const;
  std::size_t waiting() const { return mailbox_.size(); }
  std::uint64_t commits() const { return commits_; }  // fsyncs of the journal since the start
  void wake() { mailbox_.ring(); }
  // Before the thread that calls run_batch() starts.
  void listen(BatchListener listener) { listeners_.push_back(std::move(listener)); }
  // Of what is published. A snapshot is a cache: one that fails to be written costs time at the
  // next start, and nothing else.
  bool snapshot_due() const;
  Status write_snapshot();

 private:
  EngineHost(Journal* journal, const Clock* clock, EngineHostOptions options);
  Status load();
  Status boot();
  // What is decided and not durable yet.
  struct Pending {
    std::shared_ptr<std::vector<Record>> records = std::make_shared<std::vector<Record>>();
    std::vector<std::pair<Reply, Result<Receipt>>> answers;
    World world;             // after the records
    std::uint64_t turn = 0;  // of those written

    void append(Pending later);
  };
  bool decide();
  bool decide_if_free();
  bool decide_holding_engine();
  enum class Rounds { One, All };
  Status commit(Rounds rounds);
  std::optional<Pending> begin_commit();
  Status write(Pending* batch);
  void end_commit();
  void answer_in_turn(Pending* batch);
  Status append(std::span<const Record> records);
  void publish(World world);
  Status recover(const Error& error, Pending lost);
  // With engine_mutex_ held.
  Status look_again(const Error& error);
  Status reload();
  Status stop(const Error& error);
  void refuse_all();
  bool wait_for_the_journal();
  void set_trouble(std::optional<Error> trouble);

  Journal* journal_;
  const Clock* clock_;
  EngineHostOptions options_;
  Mailbox mailbox_;
  Sha256 tail_hash_{};  // of the thread that commits
  std::vector<BatchListener> listeners_;
  std::mutex engine_mutex_;  // taken before pending_mutex_, if both are
  std::unique_ptr<Engine> engine_;
  std::vector<Letter> letters_;  // that are being decided; with engine_mutex_
  std::mutex pending_mutex_;     // held for a move
  std::condition_variable pending_taken_;
  Pending pending_;
  bool committing_ = false;
  std::uint64_t begun_ = 0, answered_ = 0;  // batches
  std::condition_variable turn_came_;
  std::uint64_t epoch_ = 0;
  std::atomic<std::uint64_t> snapshot_seq_ = 0, commits_ = 0;
  Instant snapshot_time_{};  // of the thread that writes them
  std::atomic<bool> stopped_ = false;
  // How long small batches take to become durable, in microseconds: a moving average.
  std::atomic<std::int64_t> append_us_ = 0;
  std::atomic<bool> lost_ = false;      // the journal could not be read again yet
  Duration retry_wait_{}, retry_at_{};  // monotonic; with engine_mutex_
  std::atomic<bool> troubled_ = false;
  mutable std::mutex trouble_mutex_;
  std::optional<Error> trouble_;
  mutable std::mutex published_mutex_;  // held for a pointer's copy
  std::shared_ptr<const World> published_;
  Sha256 published_hash_{};
  // Set by boot(), before anybody asks for the time.
  Instant anchor_{};
  Duration anchor_monotonic_{};
};

}  // namespace showcaller
