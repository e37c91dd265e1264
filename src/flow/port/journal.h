// SPDX-License-Identifier: Apache-2.0
// Port: the journal, an append-only chain of records that are on disk before anybody is told of
// them.
//
// The journal stores bytes; model/record.h gives them meaning. Chain: hash_n = SHA-256(hash_{n-1} ‖
// bytes_n), with 32 zero bytes before the first record. A batch is one atomic frame: after a crash
// it is there whole or not at all. One suite (tests/flow/journal_conformance.h) holds every
// implementation to this text.
//
// Threads: one writer; read() may be called by any thread beside it. Errors: Conflict (another
// writer, an older epoch, an unexpected seq: nothing was written), Limit (the disk is full, or
// another program holds the file for a while: nothing was written, and the journal stands as it
// stood), Corrupt (the chain does not hold), Unsupported (written by a newer version),
// Unavailable (anything else of the disk: the caller cannot know what was written; appends are
// refused until it calls reopen(), drops its world and reads it again).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace showcaller {

struct StoredRecord {
  std::uint64_t seq = 0;  // from 1, without gaps
  std::uint16_t kind = 0;
  std::int64_t time_ms = 0;
  std::string bytes;  // one line of JSON, readable with plain tools
  Sha256 hash{};
};

struct JournalTail {
  std::uint64_t seq = 0;     // 0: empty
  Sha256 hash{};             // of the last record
  std::uint64_t epoch = 0;   // the highest epoch that has appended
  std::int64_t time_ms = 0;  // of the last record
};

struct JournalSnapshot {
  std::uint64_t seq = 0;
  Sha256 hash{};             // chain hash at seq: a snapshot that does not match is no snapshot
  std::uint32_t format = 0;  // of the world's text; another format is no snapshot
  std::string bytes;
};

class Journal {
 public:
  virtual ~Journal() = default;

  [[nodiscard]] virtual Result<JournalTail> tail() = 0;
  // Appends all of batch or none of it. expected_seq is the seq of the last record; batch[i].seq =
  // expected_seq + 1 + i. Returns the seq of the last record appended, which is then durable.
  [[nodiscard]] virtual Result<std::uint64_t> append(std::uint64_t epoch,
                                                     std::uint64_t expected_seq,
                                                     std::span<const StoredRecord> batch) = 0;
  // Calls sink with each record from seq `from` on, in order, until it returns false or there are
  // no more.
  [[nodiscard]] virtual Status read(std::uint64_t from,
                                    const std::function<bool(const StoredRecord&)>& sink) = 0;
  // Looks at the disk afresh after Unavailable. On the writer's thread.
  [[nodiscard]] virtual Status reopen() = 0;
  // Snapshots are caches: losing one costs time alone. The two newest are kept.
  [[nodiscard]] virtual Status write_snapshot(const JournalSnapshot& snapshot) = 0;
  [[nodiscard]] virtual Result<std::optional<JournalSnapshot>> newest_snapshot(
      std::uint64_t seq_max = UINT64_MAX) = 0;
  // Calls sink after each append with the seq of the last record. One subscriber; called on the
  // writer's thread.
  virtual void subscribe(std::function<void(std::uint64_t seq)> sink) = 0;
};

}  // namespace showcaller
