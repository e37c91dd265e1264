// SPDX-License-Identifier: Apache-2.0
// What every journal checks alike, so that no implementation is laxer than another.
//
// append() checks the link of a batch's first record to the tail, which proves that the writer
// knows this history; the links inside the batch are the writer's own. read() checks every link it
// passes.
#pragma once

#include <cstdint>
#include <span>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/result.h"
#include "flow/port/journal.h"

namespace showcaller {

// hash_n = SHA-256(hash_{n-1} ‖ bytes_n); 32 zero bytes stand before the first record.
inline Sha256 chain_hash(const Sha256& previous, std::string_view bytes) {
  return sha256(as_bytes(previous), bytes);
}

// Fills in seq and hash of a batch that follows a tail.
inline void seal_batch(const JournalTail& tail, std::span<StoredRecord> batch) {
  std::uint64_t seq = tail.seq;
  Sha256 hash = tail.hash;
  for (StoredRecord& record : batch) {
    record.seq = ++seq;
    record.hash = hash = chain_hash(hash, record.bytes);
  }
}

inline Status check_append(const JournalTail& tail, std::uint64_t epoch, std::uint64_t expected_seq,
                           std::span<const StoredRecord> batch) {
  if (epoch < tail.epoch) {
    return fail(
        ErrorCode::Conflict,
        fmt::format("epoch {} is deposed: epoch {} has written to the journal; stop, and reload "
                    "before writing again",
                    epoch, tail.epoch));
  }
  if (expected_seq != tail.seq) {
    return fail(ErrorCode::Conflict,
                fmt::format("the journal is at seq {}, not at {}: somebody else has "
                            "written; reload",
                            tail.seq, expected_seq));
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].seq != expected_seq + 1 + i) {
      return fail(ErrorCode::Invalid, fmt::format("record {} of the batch has seq {}, not {}", i,
                                                  batch[i].seq, expected_seq + 1 + i));
    }
  }
  if (!batch.empty() && batch[0].hash != chain_hash(tail.hash, batch[0].bytes)) {
    return fail(ErrorCode::Conflict,
                fmt::format("record {} does not follow from the record before it: the "
                            "writer knows another history; reload",
                            batch[0].seq));
  }
  return {};
}

// Follows the chain record by record.
class ChainCheck {
 public:
  // next: the seq of the first record to come; previous: the hash of the record before it.
  ChainCheck(std::uint64_t next, const Sha256& previous) : next_(next), hash_(previous) {}

  Status check(const StoredRecord& record) {
    if (record.seq != next_) {
      return fail(ErrorCode::Corrupt,
                  fmt::format("the journal has no record {}: record {} follows record {}; "
                              "restore a backup",
                              next_, record.seq, next_ - 1));
    }
    hash_ = chain_hash(hash_, record.bytes);
    if (hash_ != record.hash) {
      return fail(ErrorCode::Corrupt,
                  fmt::format("record {} of the journal is not what was written: its hash does "
                              "not match; restore a backup",
                              record.seq));
    }
    ++next_;
    return {};
  }

  std::uint64_t next() const { return next_; }
  const Sha256& hash() const { return hash_; }

 private:
  std::uint64_t next_;
  Sha256 hash_;
};

}  // namespace showcaller
