// SPDX-License-Identifier: Apache-2.0
// The reference of every benchmark that writes: the SQLite log that one would write without us,
// with the same chained rows and the same pragmas as ours.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <sqlite3.h>
#include <unistd.h>

#include "base/check.h"
#include "flow/port/journal_rules.h"

namespace showcaller::bench {

// A folder that is gone with the run.
class Scratch {
 public:
  Scratch() {
    const char* folder = ::getenv("TMPDIR");
    std::string name =
        std::string(folder != nullptr ? folder : "/tmp") + "/showcaller-bench-XXXXXX";
    CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// What one would write without us.
class BareLog {
 public:
  explicit BareLog(const std::string& path) {
    CHECK(sqlite3_open(path.c_str(), &database_) == SQLITE_OK);
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
        "CREATE TABLE IF NOT EXISTS records(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, "
        "time_ms INTEGER NOT NULL,"
        " bytes TEXT NOT NULL, hash BLOB NOT NULL)");
    CHECK(sqlite3_prepare_v2(database_, "INSERT INTO records VALUES (?, ?, ?, ?, ?)", -1, &insert_,
                             nullptr) == SQLITE_OK);
  }
  ~BareLog() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }

  void commit(std::vector<StoredRecord> batch) {
    run("BEGIN IMMEDIATE");
    for (const StoredRecord& record : batch) {
      hash_ = chain_hash(hash_, record.bytes);
      sqlite3_bind_int64(insert_, 1, sqlite3_int64(++seq_));
      sqlite3_bind_int64(insert_, 2, record.kind);
      sqlite3_bind_int64(insert_, 3, record.time_ms);
      sqlite3_bind_text(insert_, 4, record.bytes.data(), int(record.bytes.size()), SQLITE_STATIC);
      sqlite3_bind_blob(insert_, 5, hash_.data(), int(hash_.size()), SQLITE_STATIC);
      CHECK(sqlite3_step(insert_) == SQLITE_DONE);
      sqlite3_reset(insert_);
    }
    run("COMMIT");
  }

  // Selects every row of a log and follows the chain; each(bytes) is called for each.
  template <class Each>
  std::uint64_t verify(const Each& each) {
    sqlite3_stmt* select = nullptr;
    CHECK(sqlite3_prepare_v2(database_,
                             "SELECT seq, kind, time_ms, bytes, hash FROM records ORDER BY seq", -1,
                             &select, nullptr) == SQLITE_OK);
    Sha256 hash{};
    std::uint64_t rows = 0;
    while (sqlite3_step(select) == SQLITE_ROW) {
      const std::string_view bytes(reinterpret_cast<const char*>(sqlite3_column_text(select, 3)),
                                   std::size_t(sqlite3_column_bytes(select, 3)));
      hash = chain_hash(hash, bytes);
      CHECK(std::equal(hash.begin(), hash.end(),
                       static_cast<const std::uint8_t*>(sqlite3_column_blob(select, 4))));
      each(bytes);
      ++rows;
    }
    sqlite3_finalize(select);
    return rows;
  }

  std::uint64_t seq() const { return seq_; }

 private:
  void run(const char* sql) {
    CHECK(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  std::uint64_t seq_ = 0;
  Sha256 hash_{};
};

}  // namespace showcaller::bench
