// SPDX-License-Identifier: Apache-2.0
// The journal in memory, with faults: for golden conversations, the simulator, and tests.
//
// MemoryDisk is what survives a crash of the host; MemoryJournal is one opening of it. Faults are
// values: each names the append it strikes, counted from 1 over the disk's life. Threads: as the
// port says.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "flow/port/journal.h"

namespace showcaller {

struct JournalFault {
  enum class Kind {
    FailBefore,  // Unavailable; nothing was written
    LostReply,   // written and durable, but the writer is told Unavailable
    Conflict,    // somebody else was first; nothing was written
    TornBatch,   // the power goes half way through the write: Unavailable, and the batch is never
                 // visible
    DiskFull,    // Limit; nothing was written
  };
  Kind kind = Kind::FailBefore;
  std::uint64_t at_append = 1;
  std::uint64_t times = 1;  // this many appends in a row
};

class MemoryDisk {
 public:
  explicit MemoryDisk(std::vector<JournalFault> faults = {}) : faults_(std::move(faults)) {}

  void add_fault(const JournalFault& fault);
  std::uint64_t appends() const;  // tried so far
  // Changes a byte of a stored record, as a bad disk would.
  void corrupt(std::uint64_t seq);

 private:
  friend class MemoryJournal;
  std::optional<JournalFault::Kind> strike();  // with the mutex held

  mutable std::mutex mutex_;
  std::deque<StoredRecord> records_;
  std::map<std::uint64_t, JournalSnapshot> snapshots_;
  std::uint64_t epoch_ = 0;
  std::uint64_t appends_ = 0;
  std::vector<JournalFault> faults_;
};

class MemoryJournal final : public Journal {
 public:
  MemoryJournal() : MemoryJournal(std::make_shared<MemoryDisk>()) {}
  explicit MemoryJournal(std::shared_ptr<MemoryDisk> disk);

  Result<JournalTail> tail() override;
  Result<std::uint64_t> append(std::uint64_t epoch, std::uint64_t expected_seq,
                               std::span<const StoredRecord> batch) override;
  Status read(std::uint64_t from, const std::function<bool(const StoredRecord&)>& sink) override;
  Status reopen() override {
    lost_ = false;
    return {};
  }
  Status write_snapshot(const JournalSnapshot& snapshot) override;
  Result<std::optional<JournalSnapshot>> newest_snapshot(
      std::uint64_t seq_max = UINT64_MAX) override;
  void subscribe(std::function<void(std::uint64_t seq)> sink) override {
    subscriber_ = std::move(sink);
  }

 private:
  JournalTail tail_locked() const;

  std::shared_ptr<MemoryDisk> disk_;
  std::function<void(std::uint64_t)> subscriber_;
  bool lost_ = false;  // what was written is not known: only reopen() can tell
};

}  // namespace showcaller
