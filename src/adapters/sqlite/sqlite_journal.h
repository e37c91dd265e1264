// SPDX-License-Identifier: Apache-2.0
// The journal in one SQLite file, the default. Write-ahead log, synchronous=FULL, one transaction a
// batch: a batch is acknowledged after one fsync, and is there whole or not at all.
//
//   records(seq INTEGER PRIMARY KEY, kind INTEGER, time_ms INTEGER, bytes TEXT, hash BLOB)
//   meta(key TEXT PRIMARY KEY, value)     format_version, epoch, created_by
//   application_id = "SCJ1"               so that `file` and we know whose it is
//
// One process owns the file (FILE.lock); others may open it to read beside the owner. Snapshots are
// files beside it (snapshot_files.h). Threads: append() by one; everything else by any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/sqlite/file_owner.h"
#include "adapters/sqlite/snapshot_files.h"
#include "adapters/sqlite/sqlite_database.h"
#include "base/result.h"
#include "base/time.h"
#include "flow/port/journal.h"

namespace showcaller {

constexpr std::int64_t kJournalFormat = 1;  // On disk: meta.format_version.

struct SqliteJournalOptions {
  bool read_only = false;
  std::string vfs;                   // empty: the system's
  std::int64_t pages_max = 0;        // 0: no limit but the disk's
  std::uint64_t verify_last = 1000;  // links of the chain to check when opening
};

class SqliteJournal final : public Journal {
 public:
  // Conflict: another server has the file. Unsupported: a newer version wrote it. Corrupt: it is
  // damaged, or its last records are gone. Invalid: some other program's database. NotFound:
  // read_only and no file.
  static Result<std::unique_ptr<SqliteJournal>> open(const std::string& path,
                                                     const SqliteJournalOptions& options = {});

  Result<JournalTail> tail() override;
  Result<std::uint64_t> append(std::uint64_t epoch, std::uint64_t expected_seq,
                               std::span<const StoredRecord> batch) override;
  Status read(std::uint64_t from, const std::function<bool(const StoredRecord&)>& sink) override;
  Status reopen() override;
  Status write_snapshot(const JournalSnapshot& snapshot) override;
  Result<std::optional<JournalSnapshot>> newest_snapshot(
      std::uint64_t seq_max = UINT64_MAX) override;
  void subscribe(std::function<void(std::uint64_t seq)> sink) override {
    subscriber_ = std::move(sink);
  }

  // The last record that is not later than `time`; 0: none.
  Result<std::uint64_t> seq_at(Instant time);
  // Checks the file's structure and every link of the chain. progress(done, total) is called every
  // few thousand records.
  Result<JournalTail> verify(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});
  // Changes the limit in force; 0 lifts it.
  Status limit_pages(std::int64_t pages_max);
  const std::string& path() const { return path_; }

 private:
  SqliteJournal(std::string path, SqliteJournalOptions options);
  Status open_file();
  Status prepare_file();
  Status check_format() const;
  Status create_tables();
  Status prepare_statements();
  Status check_tail(const JournalTail& tail);
  Status insert(std::span<const StoredRecord> batch);
  Status check_uncontested();
  Status write_batch(std::uint64_t epoch, std::span<const StoredRecord> batch);
  Status roll_back(Error error);
  Result<JournalTail> load_tail(const Database& database) const;
  Result<Sha256> hash_at(const Database& database, std::uint64_t seq) const;

  // A reading connection, lent for one call.
  struct Reader {
    Database database;
    Statement range;
  };
  Result<std::unique_ptr<Reader>> borrow_reader();
  void return_reader(std::unique_ptr<Reader> reader);
  Result<bool> read_chunk(Reader* reader, std::uint64_t from,
                          std::vector<StoredRecord>* chunk) const;

  const std::string path_;
  const SqliteJournalOptions options_;
  const SnapshotFiles snapshots_;
  FileOwner owner_;
  Database database_;
  Statement begin_, insert_, set_epoch_, commit_, rollback_;
  std::function<void(std::uint64_t)> subscriber_;
  bool lost_ = false;       // what the disk holds is not known: only reopen() can tell
  bool contested_ = false;  // another program was writing: the tail is compared before the next
                            // append

  std::mutex mutex_;  // guards what follows
  JournalTail tail_;
  std::vector<std::unique_ptr<Reader>> readers_;
};

}  // namespace showcaller
