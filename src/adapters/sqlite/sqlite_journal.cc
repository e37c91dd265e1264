// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/sqlite_journal.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "flow/port/journal_rules.h"

namespace showcaller {
namespace {

constexpr std::int64_t kApplicationId = 0x53434a31;  // "SCJ1"
constexpr std::size_t kReadChunk = 512;
constexpr std::size_t kReadersKept = 4;
constexpr std::uint64_t kProgressEvery = 10'000;

constexpr std::string_view kRange =
    "SELECT seq, kind, time_ms, bytes, hash FROM records WHERE seq >= ? ORDER BY seq LIMIT ?";

// Reuses the record's storage: reading a million records allocates almost nothing.
Status take_row(const Statement& row, StoredRecord* record) {
  record->seq = std::uint64_t(row.column_int(0));
  record->kind = std::uint16_t(row.column_int(1));
  record->time_ms = row.column_int(2);
  record->bytes.assign(row.column_bytes(3));
  const std::string_view hash = row.column_bytes(4);
  if (hash.size() != record->hash.size()) {
    return fail(ErrorCode::Corrupt,
                fmt::format("record {} of the journal has no hash; restore a backup", record->seq));
  }
  std::copy(hash.begin(), hash.end(), record->hash.begin());
  return {};
}

}  // namespace

SqliteJournal::SqliteJournal(std::string path, SqliteJournalOptions options)
    : path_(std::move(path)), options_(std::move(options)), snapshots_(path_) {}

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(const std::string& path,
                                                           const SqliteJournalOptions& options) {
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(path, options));
  TRY(journal->open_file());
  return journal;
}

Status SqliteJournal::open_file() {
  if (!options_.read_only && !owner_.owns()) {
    TRY(owner_, FileOwner::take(path_));
  }
  TRY(database_, Database::open(path_, options_.read_only ? OpenMode::ReadOnly : OpenMode::Create,
                                options_.vfs));
  if (options_.read_only) {
    TRY(check_format());
  } else {
    TRY(prepare_file());
    snapshots_.sweep();
  }
  TRY(const JournalTail tail, load_tail(database_));
  {
    const std::lock_guard lock(mutex_);
    tail_ = tail;
  }
  return check_tail(tail);
}

Status SqliteJournal::reopen() {
  lost_ = true;  // Until all of what follows has succeeded.
  {
    const std::lock_guard lock(mutex_);
    readers_.clear();
  }
  for (Statement* statement : {&begin_, &insert_, &set_epoch_, &commit_, &rollback_})
    *statement = Statement();
  database_ = Database();
  TRY(open_file());
  lost_ = false;
  return {};
}

Status SqliteJournal::prepare_file() {
  TRY(const auto tables, database_.query_int("SELECT count(*) FROM sqlite_schema"));
  if (tables > 0) {
    TRY(check_format());
  }
  TRY(const std::string mode, database_.query_text("PRAGMA journal_mode=WAL"));
  if (mode != "wal") {
    return fail(ErrorCode::Unavailable,
                fmt::format("{}: the file system cannot hold a write-ahead log; put the journal "
                            "on a local disk",
                            path_));
  }
  // FULL syncs the log at every commit. Truncating the log at the start writes whatever an earlier
  // process could not sync through to the file, and syncs that.
  TRY(database_.execute(
      "PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON; PRAGMA journal_size_limit=67108864;"
      "PRAGMA wal_autocheckpoint=4000; PRAGMA wal_checkpoint(TRUNCATE)"));
  TRY(limit_pages(options_.pages_max));
  if (tables == 0) {
    TRY(create_tables());
  }
  return prepare_statements();
}

Status SqliteJournal::check_format() const {
  TRY(const auto id, database_.query_int("PRAGMA application_id"));
  if (id != kApplicationId) {
    return fail(
        ErrorCode::Invalid,
        fmt::format("{} is not a journal of Showcaller but some other database; check the path",
                    path_));
  }
  TRY(const auto format,
      database_.query_int("SELECT value FROM meta WHERE key = 'format_version'"));
  if (format > kJournalFormat) {
    return fail(ErrorCode::Unsupported,
                fmt::format("{} was written by a newer version of Showcaller (journal format {}, "
                            "this version knows {}); run that version, or restore an older backup",
                            path_, format, kJournalFormat));
  }
  if (format < 1) {
    return fail(ErrorCode::Corrupt,
                fmt::format("{} does not tell its format; restore a backup", path_));
  }
  return {};
}

Status SqliteJournal::create_tables() {
  const Status created = database_.execute(fmt::format(
      "BEGIN IMMEDIATE;"
      "PRAGMA application_id={};"
      "CREATE TABLE records(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, time_ms INTEGER NOT "
      "NULL,"
      " bytes TEXT NOT NULL, hash BLOB NOT NULL);"
      "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
      "INSERT INTO meta VALUES ('format_version', {}), ('epoch', 0), ('created_by', 'showcaller');"
      "COMMIT",
      kApplicationId, kJournalFormat));
  if (created) return {};
  if (database_.in_transaction()) TRY(database_.execute("ROLLBACK"));
  return created;
}

Status SqliteJournal::prepare_statements() {
  TRY(begin_, database_.prepare("BEGIN IMMEDIATE"));
  TRY(insert_, database_.prepare("INSERT INTO records VALUES (?, ?, ?, ?, ?)"));
  TRY(set_epoch_, database_.prepare("UPDATE meta SET value = ? WHERE key = 'epoch'"));
  TRY(commit_, database_.prepare("COMMIT"));
  TRY(rollback_, database_.prepare("ROLLBACK"));
  return {};
}

Status SqliteJournal::limit_pages(std::int64_t pages_max) {
  // SQLite keeps the limit in a connection and takes 0 as a question.
  constexpr std::int64_t kMost = 0xfffffffe;
  return database_.execute(
      fmt::format("PRAGMA max_page_count={}", pages_max > 0 ? pages_max : kMost));
}

Result<JournalTail> SqliteJournal::load_tail(const Database& database) const {
  JournalTail tail;
  TRY(const auto epoch, database.query_int("SELECT value FROM meta WHERE key = 'epoch'"));
  tail.epoch = std::uint64_t(epoch);
  TRY(Statement last,
      database.prepare(
          "SELECT seq, kind, time_ms, bytes, hash FROM records ORDER BY seq DESC LIMIT 1"));
  TRY(const bool row, last.step());
  if (!row) return tail;
  StoredRecord record;
  TRY(take_row(last, &record));
  tail.seq = record.seq;
  tail.hash = record.hash;
  tail.time_ms = record.time_ms;
  return tail;
}

Status SqliteJournal::check_tail(const JournalTail& tail) {
  for (const std::uint64_t seq : snapshots_.seqs()) {
    if (seq > tail.seq && snapshots_.read(seq)) {
      return fail(
          ErrorCode::Corrupt,
          fmt::format("{} ends at record {}, but a snapshot of record {} lies beside it: the last "
                      "records are "
                      "gone; restore a backup, or move the snapshot away to go on without them",
                      path_, tail.seq, seq));
    }
  }
  const std::uint64_t from =
      tail.seq > options_.verify_last ? tail.seq - options_.verify_last + 1 : 1;
  return read(from, [&](const StoredRecord& record) { return record.seq < tail.seq; });
}

Result<JournalTail> SqliteJournal::tail() {
  if (options_.read_only) {
    TRY(auto reader, borrow_reader());
    auto tail = load_tail(reader->database);
    return_reader(std::move(reader));
    return tail;
  }
  const std::lock_guard lock(mutex_);
  return tail_;
}

Result<std::uint64_t> SqliteJournal::append(std::uint64_t epoch, std::uint64_t expected_seq,
                                            std::span<const StoredRecord> batch) {
  if (options_.read_only)
    return fail(ErrorCode::Conflict, fmt::format("{} was opened for reading alone", path_));
  if (lost_) {
    return fail(ErrorCode::Unavailable,
                fmt::format("{}: an earlier append failed in an unknown state; reopen the journal "
                            "to learn what it holds",
                            path_));
  }
  // The writer is one thread and the only one to change the tail: reading it needs no lock here.
  TRY(check_append(tail_, epoch, expected_seq, batch));
  if (batch.empty()) return expected_seq;
  TRY(write_batch(epoch, batch));
  {
    const std::lock_guard lock(mutex_);
    const StoredRecord& last = batch.back();
    tail_ = {.seq = last.seq, .hash = last.hash, .epoch = epoch, .time_ms = last.time_ms};
  }
  if (subscriber_) subscriber_(batch.back().seq);
  return batch.back().seq;
}

Status SqliteJournal::write_batch(std::uint64_t epoch, std::span<const StoredRecord> batch) {
  if (const Status begun = begin_.run(); !begun) {
    contested_ = true;
    return roll_back(begun.error());
  }
  if (const Status same = check_uncontested(); !same) return roll_back(same.error());
  if (epoch != tail_.epoch) {
    set_epoch_.bind(1, std::int64_t(epoch));
    if (const Status set = set_epoch_.run(); !set) return roll_back(set.error());
  }
  if (const Status inserted = insert(batch); !inserted) return roll_back(inserted.error());
  if (const Status committed = commit_.run(); !committed) return roll_back(committed.error());
  return {};
}

// Whoever held the file may have written to the journal: only then is it not ours any more.
Status SqliteJournal::check_uncontested() {
  if (!contested_) return {};
  TRY(const JournalTail found, load_tail(database_));
  if (found.seq != tail_.seq || found.hash != tail_.hash || found.epoch != tail_.epoch) {
    return fail(ErrorCode::Conflict,
                fmt::format("{}: another program wrote to the journal: it ends at record {} of "
                            "epoch {}, not at record {} of epoch {}; run `showcaller doctor`",
                            path_, found.seq, found.epoch, tail_.seq, tail_.epoch));
  }
  contested_ = false;
  return {};
}

Status SqliteJournal::insert(std::span<const StoredRecord> batch) {
  for (const StoredRecord& record : batch) {
    insert_.bind(1, std::int64_t(record.seq));
    insert_.bind(2, record.kind);
    insert_.bind(3, record.time_ms);
    insert_.bind_text(4, record.bytes);
    insert_.bind_blob(5, as_bytes(record.hash));
    TRY(insert_.run());
  }
  return {};
}

Status SqliteJournal::roll_back(Error error) {
  const bool undone = !database_.in_transaction() || rollback_.run();
  // A full disk or a second writer is refused before the frame that commits. Any other failure may
  // have come after it (a failed sync), and then the batch may be there after the next start.
  const bool known = error.code == ErrorCode::Limit || error.code == ErrorCode::Conflict;
  lost_ = !undone || !known;
  if (!undone && known) error.code = ErrorCode::Unavailable;
  return std::unexpected(std::move(error));
}

Result<std::unique_ptr<SqliteJournal::Reader>> SqliteJournal::borrow_reader() {
  {
    const std::lock_guard lock(mutex_);
    if (!readers_.empty()) {
      auto reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  auto reader = std::make_unique<Reader>();
  TRY(reader->database, Database::open(path_, OpenMode::ReadOnly, options_.vfs));
  TRY(reader->range, reader->database.prepare(kRange));
  return reader;
}

void SqliteJournal::return_reader(std::unique_ptr<Reader> reader) {
  reader->range.reset();
  const std::lock_guard lock(mutex_);
  if (readers_.size() < kReadersKept) readers_.push_back(std::move(reader));
}

Result<bool> SqliteJournal::read_chunk(Reader* reader, std::uint64_t from,
                                       std::vector<StoredRecord>* chunk) const {
  chunk->resize(kReadChunk);
  reader->range.bind(1, std::int64_t(from));
  reader->range.bind(2, std::int64_t(kReadChunk));
  std::size_t rows = 0;
  while (true) {
    TRY(const bool row, reader->range.step());
    if (!row) break;
    TRY(take_row(reader->range, &(*chunk)[rows++]));
  }
  // Between chunks no read transaction is open, so a slow reader never keeps the log from being
  // reused.
  reader->range.reset();
  chunk->resize(rows);
  return rows == kReadChunk;
}

Result<Sha256> SqliteJournal::hash_at(const Database& database, std::uint64_t seq) const {
  Sha256 hash{};
  if (seq == 0) return hash;
  TRY(Statement find, database.prepare("SELECT hash FROM records WHERE seq = ?"));
  find.bind(1, std::int64_t(seq));
  TRY(const bool row, find.step());
  if (!row || find.column_bytes(0).size() != hash.size()) {
    return fail(ErrorCode::NotFound, fmt::format("the journal has no record {}", seq));
  }
  std::copy_n(find.column_bytes(0).begin(), hash.size(), hash.begin());
  return hash;
}

Status SqliteJournal::read(std::uint64_t from,
                           const std::function<bool(const StoredRecord&)>& sink) {
  from = std::max<std::uint64_t>(from, 1);
  TRY(const JournalTail end, tail());
  if (from > end.seq) return {};
  TRY(auto reader, borrow_reader());
  const auto run = [&]() -> Status {
    auto previous = hash_at(reader->database, from - 1);
    if (!previous) return fail(ErrorCode::Corrupt, previous.error().message + "; restore a backup");
    ChainCheck chain(from, *previous);
    std::vector<StoredRecord> chunk;
    for (bool more = true; more;) {
      TRY(more, read_chunk(reader.get(), chain.next(), &chunk));
      for (const StoredRecord& record : chunk) {
        TRY(chain.check(record));
        if (!sink(record)) return {};
      }
    }
    if (chain.next() <= end.seq) {
      return fail(ErrorCode::Corrupt,
                  fmt::format("the journal has no record {}; restore a backup", chain.next()));
    }
    return {};
  };
  const Status status = run();
  return_reader(std::move(reader));
  return status;
}

Status SqliteJournal::write_snapshot(const JournalSnapshot& snapshot) {
  return snapshots_.write(snapshot);
}

Result<std::optional<JournalSnapshot>> SqliteJournal::newest_snapshot(std::uint64_t seq_max) {
  TRY(auto reader, borrow_reader());
  std::optional<JournalSnapshot> found;
  for (const std::uint64_t seq : snapshots_.seqs()) {
    if (seq > seq_max) continue;
    const auto hash = hash_at(reader->database, seq);
    auto snapshot = hash ? snapshots_.read(seq) : std::nullopt;
    if (snapshot && snapshot->hash == *hash) {
      found = std::move(snapshot);
      break;
    }
  }
  return_reader(std::move(reader));
  return found;
}

Result<std::uint64_t> SqliteJournal::seq_at(Instant time) {
  TRY(const JournalTail end, tail());
  TRY(auto reader, borrow_reader());
  const auto run = [&]() -> Result<std::uint64_t> {
    TRY(Statement find, reader->database.prepare("SELECT time_ms FROM records WHERE seq = ?"));
    // Engine time never runs backwards, so the records are sorted by time too.
    std::uint64_t low = 0, high = end.seq;
    while (low < high) {
      const std::uint64_t middle = low + (high - low + 1) / 2;
      find.bind(1, std::int64_t(middle));
      TRY(const bool row, find.step());
      if (!row)
        return fail(ErrorCode::Corrupt,
                    fmt::format("the journal has no record {}; restore a backup", middle));
      const bool later = find.column_int(0) > to_ms(time);
      find.reset();
      later ? high = middle - 1 : low = middle;
    }
    return low;
  };
  auto seq = run();
  return_reader(std::move(reader));
  return seq;
}

Result<JournalTail> SqliteJournal::verify(
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  TRY(auto reader, borrow_reader());
  const auto structure = reader->database.query_text("PRAGMA quick_check(1)");
  return_reader(std::move(reader));
  TRY(const std::string found, structure);
  if (found != "ok") {
    return fail(ErrorCode::Corrupt, fmt::format("{}: {}; restore a backup", path_, found));
  }
  TRY(JournalTail end, tail());
  const std::uint64_t total = end.seq;
  TRY(read(1, [&](const StoredRecord& record) {
    if (progress && (record.seq % kProgressEvery == 0 || record.seq == total))
      progress(record.seq, total);
    return record.seq < total;
  }));
  return end;
}

}  // namespace showcaller
