// SPDX-License-Identifier: Apache-2.0
// The ledger in memory: for golden conversations, the simulator, and tests. Its keys come from a
// seed, so that a run can be repeated; that makes them no secret. Threads: any.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "flow/port/ledger.h"

namespace showcaller {

class MemoryLedger final : public Ledger {
 public:
  explicit MemoryLedger(std::uint64_t seed = 1) : random_(seed) {}

  Status note(std::span<const LedgerEntry> entries) override;
  Status settle() override;
  std::size_t noted() const override;
  Status add(std::span<const LedgerEntry> entries) override;
  Result<LedgerSeal> seal(std::string_view event, std::int64_t revision) override;
  Status read(std::string_view event, std::int64_t revision,
              const std::function<bool(const LedgerRow&)>& sink) override;
  Status export_player(std::string_view player,
                       const std::function<void(std::string_view event, std::int64_t revision,
                                                const LedgerRow&)>& sink) override;
  Status erase_player(std::string_view player) override;
  Result<std::vector<LedgerRevision>> revisions() override;
  Status remove(std::string_view event, std::int64_t revision) override;

 private:
  // region, pseudonym, visit, session, source
  using RowKey = std::tuple<std::string, std::string, std::int64_t, std::string, LedgerSource>;

  mutable std::mutex mutex_;
  Random random_;
  std::map<std::string, std::string, std::less<>> keys_;  // by player
  std::map<LedgerRevision, std::map<RowKey, Instant>> rows_;
  std::vector<LedgerEntry> noted_;
};

}  // namespace showcaller
