// SPDX-License-Identifier: Apache-2.0
#include "flow/memory_ledger.h"

#include <algorithm>
#include <vector>

#include "flow/port/ledger_rules.h"

namespace showcaller {
namespace {

template <class Key>
LedgerRow row_of(const std::pair<const Key, Instant>& stored) {
  const auto& [region, pseudonym, visit, session, source] = stored.first;
  return {pseudonym, visit, region, session, source, stored.second};
}

}  // namespace

Status MemoryLedger::add(std::span<const LedgerEntry> entries) {
  for (const LedgerEntry& entry : entries) {
    TRY(check_ledger_entry(entry));
  }
  const std::lock_guard lock(mutex_);
  for (const LedgerEntry& entry : entries) {
    std::string& key = keys_[entry.player];
    if (key.empty()) {
      for (int i = 0; i < 4; ++i) key += fmt::format("{:016x}", random_.next());
    }
    const std::string pseudonym = ledger_pseudonym(key, entry.event, entry.revision);
    auto& rows = rows_[{entry.event, entry.revision}];
    const auto [at, fresh] = rows.try_emplace(
        {entry.region, pseudonym, entry.visit, entry.session, entry.source}, entry.at);
    at->second = std::min(at->second, entry.at);
  }
  return {};
}

Result<LedgerSeal> MemoryLedger::seal(std::string_view event, std::int64_t revision) {
  const std::lock_guard lock(mutex_);
  LedgerRoot root;
  for (const auto& stored : rows_[{std::string(event), revision}]) root.add(row_of(stored));
  return root.seal();
}

Status MemoryLedger::read(std::string_view event, std::int64_t revision,
                          const std::function<bool(const LedgerRow&)>& sink) {
  std::vector<LedgerRow> rows;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& stored : rows_[{std::string(event), revision}]) rows.push_back(row_of(stored));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  for (const LedgerRow& row : rows) {
    if (!sink(row)) break;
  }
  return {};
}

Status MemoryLedger::export_player(
    std::string_view player,
    const std::function<void(std::string_view, std::int64_t, const LedgerRow&)>& sink) {
  const std::lock_guard lock(mutex_);
  const auto key = keys_.find(player);
  if (key == keys_.end()) return {};
  for (const auto& [revision, rows] : rows_) {
    const std::string pseudonym = ledger_pseudonym(key->second, revision.first, revision.second);
    for (const auto& stored : rows) {
      if (std::get<1>(stored.first) == pseudonym)
        sink(revision.first, revision.second, row_of(stored));
    }
  }
  return {};
}

Status MemoryLedger::erase_player(std::string_view player) {
  const std::lock_guard lock(mutex_);
  const auto key = keys_.find(player);
  if (key == keys_.end()) return fail(ErrorCode::NotFound, "the ledger knows no such player");
  keys_.erase(key);
  return {};
}

}  // namespace showcaller
