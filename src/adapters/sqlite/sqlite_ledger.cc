// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/sqlite_ledger.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/sqlite/sqlite_copy.h"
#include "flow/port/ledger_rules.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLedgerFormat = 1;  // On disk: user_version.
constexpr std::size_t kSheetsOpenMax = 8;
constexpr std::size_t kKeyBytes = 32;
constexpr std::string_view kSuffix = ".ledger";
constexpr std::string_view kColumns =
    "SELECT region, pseudonym, visit, session, source, at_ms FROM rows ";

std::string random_bytes() {
  std::string bytes(kKeyBytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

// Opens or makes a database with `tables`, and checks whose version it is.
Result<Database> open_database(const std::string& path, OpenMode mode, const std::string& tables) {
  TRY(Database database, Database::open(path, mode));
  TRY(const auto format, database.query_int("PRAGMA user_version"));
  if (format > kLedgerFormat) {
    return fail(
        ErrorCode::Unsupported,
        fmt::format("{} was written by a newer version of Showcaller; run that version", path));
  }
  TRY(database.execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON"));
  if (format == 0) {
    TRY(database.execute(
        fmt::format("BEGIN IMMEDIATE; {}; PRAGMA user_version={}; COMMIT", tables, kLedgerFormat)));
  }
  return database;
}

Result<LedgerRow> row_of(const Statement& statement) {
  LedgerRow row;
  row.region = statement.column_bytes(0);
  row.pseudonym = to_hex(statement.column_bytes(1));
  row.visit = statement.column_int(2);
  row.session = statement.column_bytes(3);
  TRY(row.source, ledger_source_from(statement.column_bytes(4)));
  row.at = instant_ms(statement.column_int(5));
  return row;
}

// "winter-raid+r7.ledger"
std::optional<LedgerRevision> revision_of(std::string name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.resize(name.size() - kSuffix.size());
  const std::size_t plus = name.rfind("+r");
  if (plus == std::string::npos) return std::nullopt;
  LedgerRevision revision{name.substr(0, plus), 0};
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + plus + 2, end, revision.revision);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return revision;
}

std::string file_in(const std::string& folder, const LedgerRevision& revision) {
  return fmt::format("{}/{}+r{}{}", folder, revision.event, revision.revision, kSuffix);
}

Result<std::vector<LedgerRevision>> revisions_in(const std::string& folder) {
  std::vector<LedgerRevision> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (auto revision = revision_of(at->path().filename().string()))
      found.push_back(*std::move(revision));
  }
  if (error) return fail(ErrorCode::Unavailable, fmt::format("{}: {}", folder, error.message()));
  std::sort(found.begin(), found.end());
  return found;
}

Result<LedgerSeal> seal_of(const Database& database) {
  LedgerRoot root;
  TRY(const std::int64_t players, database.query_int("SELECT count(DISTINCT pseudonym) FROM rows"));
  TRY(Statement rows, database.prepare(fmt::format(
                          "{} ORDER BY region, pseudonym, visit, session, source", kColumns)));
  while (true) {
    TRY(const bool more, rows.step());
    if (!more) return root.seal(players);
    TRY(const LedgerRow row, row_of(rows));
    root.add(row);
  }
}

}  // namespace

Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open(const std::string& folder) {
  std::error_code error;
  if (fs::create_directories(folder, error)) ::chmod(folder.c_str(), 0700);
  if (error) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("{}: {}; check the owner and space of its folder", folder, error.message()));
  }
  std::unique_ptr<SqliteLedger> ledger(new SqliteLedger(folder));
  TRY(ledger->owner_, FileOwner::take(folder + "/keys.db"));
  TRY(ledger->open_keys());
  TRY(ledger->notes_.open(folder + "/notes", hmac_sha256(ledger->secret_, "notes")));
  TRY(ledger->settle());
  return ledger;
}

Status SqliteLedger::settle() {
  const std::lock_guard lock(settle_mutex_);
  TRY(const auto entries, notes_.take());
  TRY(add(entries));
  return notes_.drop();
}

Status SqliteLedger::open_keys() {
  TRY(keys_,
      open_database(folder_ + "/keys.db", OpenMode::Create,
                    "CREATE TABLE players(tag BLOB PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;"
                    "CREATE TABLE secret(value BLOB NOT NULL)"));
  TRY(secret_, keys_.query_text("SELECT value FROM secret"));
  if (!secret_.empty()) return {};
  secret_ = random_bytes();
  TRY(Statement insert, keys_.prepare("INSERT INTO secret VALUES (?)"));
  insert.bind_blob(1, secret_);
  return insert.run();
}

std::string SqliteLedger::path_of(const LedgerRevision& revision) const {
  return file_in(folder_, revision);
}

std::string SqliteLedger::tag_of(std::string_view player) const {
  return std::string(as_bytes(hmac_sha256(secret_, player)));
}

Result<std::string> SqliteLedger::find_key(std::string_view player) {
  TRY(Statement find, keys_.prepare("SELECT key FROM players WHERE tag = ?"));
  const std::string tag = tag_of(player);
  find.bind_blob(1, tag);
  TRY(const bool row, find.step());
  return row ? std::string(find.column_bytes(0)) : std::string();
}

Result<std::map<std::string_view, std::string>> SqliteLedger::keys_for(
    std::span<const LedgerEntry> entries) {
  std::map<std::string_view, std::string> keys;
  TRY(keys_.execute("BEGIN IMMEDIATE"));
  const Status made = make_keys(entries, &keys);
  const Status ended = keys_.execute(made ? "COMMIT" : "ROLLBACK");
  TRY(made);
  if (!ended && keys_.in_transaction()) (void)keys_.execute("ROLLBACK");
  TRY(ended);
  return keys;
}

Status SqliteLedger::make_keys(std::span<const LedgerEntry> entries,
                               std::map<std::string_view, std::string>* keys) {
  TRY(Statement find, keys_.prepare("SELECT key FROM players WHERE tag = ?"));
  TRY(Statement insert, keys_.prepare("INSERT INTO players VALUES (?, ?)"));
  for (const LedgerEntry& entry : entries) {
    std::string& key = (*keys)[entry.player];
    if (!key.empty()) continue;
    const std::string tag = tag_of(entry.player);
    find.bind_blob(1, tag);
    TRY(const bool row, find.step());
    if (row) key = find.column_bytes(0);
    find.reset();
    if (row) continue;
    key = random_bytes();
    insert.bind_blob(1, tag);
    insert.bind_blob(2, key);
    TRY(insert.run());
  }
  return {};
}

Result<SqliteLedger::Sheet*> SqliteLedger::sheet_of(const LedgerRevision& revision, OpenMode mode) {
  std::unique_ptr<Sheet>& sheet = sheets_[revision];
  if (!sheet) {
    auto fresh = std::make_unique<Sheet>();
    auto database = open_database(
        path_of(revision), mode,
        "CREATE TABLE rows(region TEXT NOT NULL, pseudonym BLOB NOT NULL, visit INTEGER NOT NULL,"
        " session TEXT NOT NULL, source TEXT NOT NULL, at_ms INTEGER NOT NULL,"
        " PRIMARY KEY (region, pseudonym, visit, session, source)) WITHOUT ROWID");
    if (!database) {
      sheets_.erase(revision);
      return std::unexpected(database.error());
    }
    fresh->database = *std::move(database);
    TRY(fresh->insert,
        fresh->database.prepare("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                                "SET at_ms = excluded.at_ms WHERE excluded.at_ms < at_ms"));
    sheet = std::move(fresh);
  }
  sheet->used = ++uses_;
  Sheet* found = sheet.get();
  while (sheets_.size() > kSheetsOpenMax) {
    sheets_.erase(std::min_element(
        sheets_.begin(), sheets_.end(),
        [](const auto& a, const auto& b) { return a.second->used < b.second->used; }));
  }
  return found;
}

Status SqliteLedger::add(std::span<const LedgerEntry> entries) {
  std::map<LedgerRevision, std::vector<const LedgerEntry*>> by_revision;
  for (const LedgerEntry& entry : entries) {
    TRY(check_ledger_entry(entry));
    by_revision[{entry.event, entry.revision}].push_back(&entry);
  }
  if (entries.empty()) return {};
  const std::lock_guard lock(mutex_);
  // Keys first: a key without rows does no harm, rows without a key would be nobody's.
  TRY(const auto keys, keys_for(entries));
  for (const auto& [revision, of_revision] : by_revision) {
    TRY(add_rows(revision, of_revision, keys));
  }
  return {};
}

Status SqliteLedger::add_rows(const LedgerRevision& revision,
                              std::span<const LedgerEntry* const> entries,
                              const std::map<std::string_view, std::string>& keys) {
  TRY(Sheet * sheet, sheet_of(revision, OpenMode::Create));
  TRY(sheet->database.execute("BEGIN IMMEDIATE"));
  const auto insert_all = [&]() -> Status {
    for (const LedgerEntry* entry : entries) {
      const std::string pseudonym =
          *from_hex(ledger_pseudonym(keys.at(entry->player), revision.event, revision.revision));
      sheet->insert.bind_text(1, entry->region);
      sheet->insert.bind_blob(2, pseudonym);
      sheet->insert.bind(3, entry->visit);
      sheet->insert.bind_text(4, entry->session);
      sheet->insert.bind_text(5, to_string(entry->source));
      sheet->insert.bind(6, to_ms(entry->at));
      TRY(sheet->insert.run());
    }
    return sheet->database.execute("COMMIT");
  };
  const Status added = insert_all();
  if (!added && sheet->database.in_transaction()) TRY(sheet->database.execute("ROLLBACK"));
  return added;
}

Result<LedgerSeal> SqliteLedger::seal(std::string_view event, std::int64_t revision) {
  const std::lock_guard lock(mutex_);
  const auto sheet = sheet_of({std::string(event), revision}, OpenMode::ReadWrite);
  if (!sheet && sheet.error().code == ErrorCode::NotFound) return LedgerRoot().seal(0);
  if (!sheet) return std::unexpected(sheet.error());
  return seal_of((*sheet)->database);
}

Status SqliteLedger::read(std::string_view event, std::int64_t revision,
                          const std::function<bool(const LedgerRow&)>& sink) {
  // A connection of its own, so that a slow reader keeps nobody from adding.
  const auto database = Database::open(path_of({std::string(event), revision}), OpenMode::ReadOnly);
  if (!database && database.error().code == ErrorCode::NotFound) return {};
  if (!database) return std::unexpected(database.error());
  TRY(Statement rows,
      database->prepare(
          fmt::format("{} ORDER BY at_ms, region, pseudonym, visit, session, source", kColumns)));
  while (true) {
    TRY(const bool more, rows.step());
    if (!more) return {};
    TRY(const LedgerRow row, row_of(rows));
    if (!sink(row)) return {};
  }
}

Status SqliteLedger::export_player(
    std::string_view player,
    const std::function<void(std::string_view, std::int64_t, const LedgerRow&)>& sink) {
  TRY(const auto all, revisions());
  const std::lock_guard lock(mutex_);
  TRY(const std::string key, find_key(player));
  if (key.empty()) return {};
  for (const LedgerRevision& revision : all) {
    TRY(export_sheet(revision, key, sink));
  }
  return {};
}

// Region by region, so that the primary key serves and no second index has to be kept.
Status SqliteLedger::export_sheet(
    const LedgerRevision& revision, const std::string& key,
    const std::function<void(std::string_view, std::int64_t, const LedgerRow&)>& sink) {
  const std::string pseudonym = *from_hex(ledger_pseudonym(key, revision.event, revision.revision));
  TRY(Sheet * sheet, sheet_of(revision, OpenMode::ReadWrite));
  TRY(Statement first, sheet->database.prepare("SELECT min(region) FROM rows"));
  TRY(Statement next, sheet->database.prepare("SELECT min(region) FROM rows WHERE region > ?"));
  TRY(Statement rows,
      sheet->database.prepare(fmt::format("{} WHERE region = ? AND pseudonym = ?", kColumns)));
  std::string region;
  for (Statement* step = &first;; step = &next) {
    if (step == &next) next.bind_text(1, region);
    TRY(const bool row, step->step());
    if (!row || step->column_is_null(0)) return {};
    std::string found(step->column_bytes(0));
    step->reset();
    region = std::move(found);
    rows.bind_text(1, region);
    rows.bind_blob(2, pseudonym);
    while (true) {
      TRY(const bool more, rows.step());
      if (!more) break;
      TRY(const LedgerRow found_row, row_of(rows));
      sink(revision.event, revision.revision, found_row);
    }
    rows.reset();
  }
}

Status SqliteLedger::erase_player(std::string_view player) {
  TRY(settle());  // A note settled later would bring the key back.
  const std::lock_guard lock(mutex_);
  TRY(const std::string key, find_key(player));
  if (key.empty()) return fail(ErrorCode::NotFound, "the ledger knows no such player");
  const std::string tag = tag_of(player);
  TRY(Statement erase, keys_.prepare("DELETE FROM players WHERE tag = ?"));
  erase.bind_blob(1, tag);
  TRY(erase.run());
  // The old page must not live on in the log.
  return keys_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

Result<LedgerSeal> seal_of_ledger(const std::string& folder, const LedgerRevision& revision) {
  TRY(const Database database, Database::open(file_in(folder, revision), OpenMode::ReadOnly));
  return seal_of(database);
}

// Keys last: a row's key is there before the row.
Status copy_ledger(const std::string& folder, const std::string& to) {
  std::error_code error;
  fs::create_directories(to, error);
  if (error) return fail(ErrorCode::Unavailable, fmt::format("{}: {}", to, error.message()));
  ::chmod(to.c_str(), 0700);
  TRY(const auto revisions, revisions_in(folder));
  for (const LedgerRevision& revision : revisions) {
    TRY(copy_database(file_in(folder, revision), file_in(to, revision)));
  }
  return copy_database(folder + "/keys.db", to + "/keys.db");
}

Result<std::vector<LedgerRevision>> SqliteLedger::revisions() {
  return revisions_in(folder_);
}

Status SqliteLedger::remove(std::string_view event, std::int64_t revision) {
  const std::lock_guard lock(mutex_);
  const LedgerRevision key{std::string(event), revision};
  sheets_.erase(key);
  const std::string path = path_of(key);
  if (::unlink(path.c_str()) != 0)
    return fail(ErrorCode::NotFound, fmt::format("{}: there is no such ledger", path));
  ::unlink((path + "-wal").c_str());
  ::unlink((path + "-shm").c_str());
  return {};
}

}  // namespace showcaller
