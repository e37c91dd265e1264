// SPDX-License-Identifier: Apache-2.0
// The ledger in SQLite: FOLDER/keys.db, and FOLDER/EVENT+rREVISION.ledger a revision, its rows
// stored region by region.
//
//   keys.db    players(tag BLOB PRIMARY KEY, key BLOB)    tag = HMAC-SHA-256(secret, player): no
//   player's name is stored
//              secret(value BLOB)                         32 random bytes of this ledger
//   *.ledger   rows(region, pseudonym, visit, session, source, at_ms), primary key all but at_ms
//
//   notes, notes.settling                               what is noted and not settled
//   (ledger_notes.h)
//
// Erasing overwrites the key in its page (secure_delete) and empties the write-ahead log. The
// ledger files never change by it, so their roots hold. Threads: any. One process owns the folder.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "adapters/sqlite/file_owner.h"
#include "adapters/sqlite/ledger_notes.h"
#include "adapters/sqlite/sqlite_database.h"
#include "flow/port/ledger.h"

namespace showcaller {

class SqliteLedger final : public Ledger {
 public:
  // Makes the folder (0700). Conflict: another process has it. Unsupported: a newer version wrote
  // it.
  static Result<std::unique_ptr<SqliteLedger>> open(const std::string& folder);

  Status note(std::span<const LedgerEntry> entries) override { return notes_.append(entries); }
  Status settle() override;
  std::size_t noted() const override { return notes_.size(); }
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
  struct Sheet {
    Database database;
    Statement insert;
    std::uint64_t used = 0;
  };
  explicit SqliteLedger(std::string folder) : folder_(std::move(folder)) {}
  Status open_keys();
  std::string path_of(const LedgerRevision& revision) const;
  std::string tag_of(std::string_view player) const;
  Result<std::string> find_key(std::string_view player);  // empty: none
  Result<std::map<std::string_view, std::string>> keys_for(std::span<const LedgerEntry> entries);
  Status make_keys(std::span<const LedgerEntry> entries,
                   std::map<std::string_view, std::string>* keys);
  Result<Sheet*> sheet_of(const LedgerRevision& revision, OpenMode mode);
  Status add_rows(const LedgerRevision& revision, std::span<const LedgerEntry* const> entries,
                  const std::map<std::string_view, std::string>& keys);
  Status export_sheet(
      const LedgerRevision& revision, const std::string& key,
      const std::function<void(std::string_view, std::int64_t, const LedgerRow&)>& sink);

  const std::string folder_;
  LedgerNotes notes_;
  std::mutex settle_mutex_;  // taken before mutex_, if both are
  std::mutex mutex_;         // guards what follows
  FileOwner owner_;
  Database keys_;
  std::string secret_;
  std::map<LedgerRevision, std::unique_ptr<Sheet>> sheets_;  // open ones, a few
  std::uint64_t uses_ = 0;
};

// Of a revision as it stands on disk, beside a running server. NotFound: there is none.
[[nodiscard]] Result<LedgerSeal> seal_of_ledger(const std::string& folder,
                                                const LedgerRevision& revision);
// A copy beside a running server; what it noted in the last moment and has not written yet is not
// in it. Makes the folder (0700).
[[nodiscard]] Status copy_ledger(const std::string& folder, const std::string& to);

}  // namespace showcaller
