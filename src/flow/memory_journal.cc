// SPDX-License-Identifier: Apache-2.0
#include "flow/memory_journal.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/deliberate_bug.h"
#include "flow/port/journal_rules.h"

namespace showcaller {
namespace {

constexpr std::size_t kReadChunk = 256;
constexpr std::size_t kSnapshotsKept = 2;

}  // namespace

void MemoryDisk::add_fault(const JournalFault& fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(fault);
}

std::uint64_t MemoryDisk::appends() const {
  const std::lock_guard lock(mutex_);
  return appends_;
}

void MemoryDisk::corrupt(std::uint64_t seq) {
  const std::lock_guard lock(mutex_);
  CHECK(seq >= 1 && seq <= records_.size());
  std::string& bytes = records_[seq - 1].bytes;
  bytes.empty() ? bytes.push_back('x') : void(bytes[bytes.size() / 2] ^= 1);
}

std::optional<JournalFault::Kind> MemoryDisk::strike() {
  ++appends_;
  const auto hit = std::find_if(faults_.begin(), faults_.end(), [this](const JournalFault& fault) {
    return appends_ >= fault.at_append && appends_ - fault.at_append < fault.times;
  });
  if (hit == faults_.end()) return std::nullopt;
  return hit->kind;
}

MemoryJournal::MemoryJournal(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {
  CHECK(disk_);
}

JournalTail MemoryJournal::tail_locked() const {
  if (disk_->records_.empty()) return {.epoch = disk_->epoch_};
  const StoredRecord& last = disk_->records_.back();
  return {.seq = last.seq, .hash = last.hash, .epoch = disk_->epoch_, .time_ms = last.time_ms};
}

Result<JournalTail> MemoryJournal::tail() {
  const std::lock_guard lock(disk_->mutex_);
  return tail_locked();
}

Result<std::uint64_t> MemoryJournal::append(std::uint64_t epoch, std::uint64_t expected_seq,
                                            std::span<const StoredRecord> batch) {
  std::unique_lock lock(disk_->mutex_);
  const auto fault = disk_->strike();
  if (lost_)
    return fail(ErrorCode::Unavailable,
                "an earlier append failed in an unknown state; reopen the journal");
  if (fault == JournalFault::Kind::Conflict) {
    return fail(ErrorCode::Conflict, "somebody else has written to the journal; reload");
  }
  TRY(check_append(tail_locked(), epoch, expected_seq, batch));
  if (batch.empty()) return expected_seq;
  if (fault == JournalFault::Kind::DiskFull) {
    return fail(ErrorCode::Limit, "the disk is full; nothing was written; free some space");
  }
  if (broken(DeliberateBug::LostSync) && fault == JournalFault::Kind::TornBatch)
    disk_->records_.pop_back();
  if (fault == JournalFault::Kind::FailBefore || fault == JournalFault::Kind::TornBatch) {
    lost_ = true;
    return fail(ErrorCode::Unavailable, "the journal's disk failed; reopen the journal");
  }
  disk_->records_.insert(disk_->records_.end(), batch.begin(), batch.end());
  disk_->epoch_ = epoch;
  if (fault == JournalFault::Kind::LostReply) {
    lost_ = true;
    return fail(ErrorCode::Unavailable, "the journal did not answer; reopen the journal");
  }
  lock.unlock();
  if (subscriber_) subscriber_(batch.back().seq);
  return batch.back().seq;
}

Status MemoryJournal::read(std::uint64_t from,
                           const std::function<bool(const StoredRecord&)>& sink) {
  from = std::max<std::uint64_t>(from, 1);
  Sha256 previous{};
  {
    const std::lock_guard lock(disk_->mutex_);
    if (from > disk_->records_.size()) return {};
    if (from > 1) previous = disk_->records_[from - 2].hash;
  }
  ChainCheck chain(from, previous);
  std::vector<StoredRecord> chunk;
  do {
    chunk.clear();
    {
      const std::lock_guard lock(disk_->mutex_);
      const auto first = disk_->records_.begin() + std::ptrdiff_t(chain.next() - 1);
      const auto left = disk_->records_.end() - first;
      chunk.assign(first, first + std::min<std::ptrdiff_t>(left, kReadChunk));
    }
    for (const StoredRecord& record : chunk) {
      TRY(chain.check(record));
      if (!sink(record)) return {};
    }
  } while (!chunk.empty());
  return {};
}

Status MemoryJournal::write_snapshot(const JournalSnapshot& snapshot) {
  const std::lock_guard lock(disk_->mutex_);
  disk_->snapshots_[snapshot.seq] = snapshot;
  while (disk_->snapshots_.size() > kSnapshotsKept)
    disk_->snapshots_.erase(disk_->snapshots_.begin());
  return {};
}

Result<std::optional<JournalSnapshot>> MemoryJournal::newest_snapshot(std::uint64_t seq_max) {
  const std::lock_guard lock(disk_->mutex_);
  for (auto at = disk_->snapshots_.rbegin(); at != disk_->snapshots_.rend(); ++at) {
    const JournalSnapshot& snapshot = at->second;
    if (snapshot.seq > seq_max || snapshot.seq > disk_->records_.size()) continue;
    const Sha256 hash = snapshot.seq == 0 ? Sha256{} : disk_->records_[snapshot.seq - 1].hash;
    if (snapshot.hash == hash) return snapshot;
  }
  return std::nullopt;
}

}  // namespace showcaller
