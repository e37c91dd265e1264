// SPDX-License-Identifier: Apache-2.0
#include "flow/memory_ledger.h"

#include <algorithm>
#include <set>
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

Status MemoryLedger::note(std::span<const LedgerEntry> entries) {
  const std::lock_guard lock(mutex_);
  noted_.insert(noted_.end(), entries.begin(), entries.end());
  return {};
}

Status MemoryLedger::settle() {
  std::vector<LedgerEntry> noted;
  {
    const std::lock_guard lock(mutex_);
    noted.swap(noted_);
  }
  return add(noted);
}

std::size_t MemoryLedger::noted() const {
  const std::lock_guard lock(mutex_);
  return noted_.size();
}

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
  std::set<std::string> players;
  if (const auto at = rows_.find({std::string(event), revision}); at != rows_.end()) {
    for (const auto& stored : at->second) {
      root.add(row_of(stored));
      players.insert(std::get<1>(stored.first));
    }
  }
  return root.seal(std::int64_t(players.size()));
}

Status MemoryLedger::read(std::string_view event, std::int64_t revision,
                          const std::function<bool(const LedgerRow&)>& sink) {
  std::vector<LedgerRow> rows;
  {
    const std::lock_guard lock(mutex_);
    const auto at = rows_.find({std::string(event), revision});
    if (at == rows_.end()) return {};
    for (const auto& stored : at->second) rows.push_back(row_of(stored));
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
    const std::string pseudonym = ledger_pseudonym(key->second, revision.event, revision.revision);
    for (const auto& stored : rows) {
      if (std::get<1>(stored.first) == pseudonym)
        sink(revision.event, revision.revision, row_of(stored));
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

Result<std::vector<LedgerRevision>> MemoryLedger::revisions() {
  const std::lock_guard lock(mutex_);
  std::vector<LedgerRevision> out;
  for (const auto& [revision, rows] : rows_) out.push_back(revision);
  return out;
}

Status MemoryLedger::remove(std::string_view event, std::int64_t revision) {
  const std::lock_guard lock(mutex_);
  if (rows_.erase({std::string(event), revision}) > 0) return {};
  return fail(ErrorCode::NotFound, fmt::format("there is no ledger of {} r{}", event, revision));
}

}  // namespace showcaller
