// SPDX-License-Identifier: Apache-2.0
// The bounded queue in front of the ledger: whoever gives out an assignment leaves a row here in
// well under a microsecond, and a thread of the host's writes them in batches.
//
// offer() says false when the queue is full. The one who asked must then not expose the player: an
// exposure that the ledger does not know of would break its promise. Threads: offer() by any,
// drain() by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "flow/port/ledger.h"

namespace showcaller {

class LedgerQueue {
 public:
  explicit LedgerQueue(std::size_t entries_max = 100'000) : entries_max_(entries_max) {}

  [[nodiscard]] bool offer(LedgerEntry entry);
  // Writes what waits. On an error all of it stays queued, in order. Returns how many were written.
  Result<std::size_t> drain(Ledger* ledger);

  std::size_t size() const;
  std::uint64_t refused() const;

 private:
  const std::size_t entries_max_;
  mutable std::mutex mutex_;
  std::vector<LedgerEntry> waiting_;
  std::vector<LedgerEntry> writing_;  // drain()'s own; counts toward the limit
  std::size_t writing_size_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace showcaller
