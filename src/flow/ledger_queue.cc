// SPDX-License-Identifier: Apache-2.0
#include "flow/ledger_queue.h"

#include <iterator>
#include <utility>

namespace showcaller {

bool LedgerQueue::offer(LedgerEntry entry) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + writing_size_ >= entries_max_) {
    ++refused_;
    return false;
  }
  waiting_.push_back(std::move(entry));
  return true;
}

Result<std::size_t> LedgerQueue::drain(Ledger* ledger) {
  {
    const std::lock_guard lock(mutex_);
    // What an earlier drain could not write comes first.
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(writing_));
    waiting_.clear();
    writing_size_ = writing_.size();
  }
  if (writing_.empty()) return 0;
  TRY(ledger->add(writing_));
  const std::size_t written = writing_.size();
  writing_.clear();
  const std::lock_guard lock(mutex_);
  writing_size_ = 0;
  return written;
}

std::size_t LedgerQueue::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + writing_size_;
}

std::uint64_t LedgerQueue::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace showcaller
