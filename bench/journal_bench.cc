// SPDX-License-Identifier: Apache-2.0
// The SQLite journal against bare SQLite loops that do the same durable work: the same chained rows, the same batch
// size, the same pragmas, in the same run. What is left over is what the port, its checks and its locks cost.
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "adapters/sqlite/sqlite_journal.h"
#include "base/check.h"
#include "bench/figure.h"
#include "flow/port/journal_rules.h"

namespace showcaller {
namespace {

// About the size of a command's record.
std::vector<StoredRecord> records_after(std::uint64_t seq, std::size_t count) {
  std::vector<StoredRecord> batch(count);
  for (StoredRecord& record : batch) {
    record.kind = 11;
    record.time_ms = 1'700'000'000'000 + std::int64_t(++seq);
    record.bytes = fmt::format(
        "{{\"seq\":{},\"time\":\"2026-12-18T18:00:00Z\",\"kind\":\"phase_changed\",\"version\":1,\"epoch\":1,\"actor\":"
        "\"ops@example\",\"key\":\"k-{:016x}\",\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"payload\":{{\"event\":"
        "\"winter-raid\",\"revision\":7,\"from\":\"ready\",\"to\":\"rolling_out\",\"reason\":\"start\"}}}}",
        seq, seq * 0x9e3779b97f4a7c15ULL);
  }
  return batch;
}

class Scratch {
 public:
  Scratch() {
    const char* folder = ::getenv("TMPDIR");
    std::string name = std::string(folder != nullptr ? folder : "/tmp") + "/showcaller-bench-XXXXXX";
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
        "CREATE TABLE IF NOT EXISTS records(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
        " bytes TEXT NOT NULL, hash BLOB NOT NULL)");
    CHECK(sqlite3_prepare_v2(database_, "INSERT INTO records VALUES (?, ?, ?, ?, ?)", -1, &insert_, nullptr) == SQLITE_OK);
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

  // Selects every row and follows the chain.
  std::uint64_t verify() {
    sqlite3_stmt* select = nullptr;
    CHECK(sqlite3_prepare_v2(database_, "SELECT seq, kind, time_ms, bytes, hash FROM records ORDER BY seq", -1, &select,
                             nullptr) == SQLITE_OK);
    Sha256 hash{};
    std::uint64_t rows = 0;
    while (sqlite3_step(select) == SQLITE_ROW) {
      const std::string bytes(reinterpret_cast<const char*>(sqlite3_column_text(select, 3)),
                              std::size_t(sqlite3_column_bytes(select, 3)));
      hash = chain_hash(hash, bytes);
      CHECK(std::equal(hash.begin(), hash.end(), static_cast<const std::uint8_t*>(sqlite3_column_blob(select, 4))));
      ++rows;
    }
    sqlite3_finalize(select);
    return rows;
  }

  std::uint64_t seq() const { return seq_; }

 private:
  void run(const char* sql) { CHECK(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK); }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  std::uint64_t seq_ = 0;
  Sha256 hash_{};
};

void append(SqliteJournal* journal, std::size_t count) {
  const JournalTail tail = journal->tail().value();
  auto batch = records_after(tail.seq, count);
  seal_batch(tail, batch);
  CHECK(journal->append(1, tail.seq, batch).has_value());
}

bench::Figure appending(std::size_t batch, int batches) {
  const Scratch scratch;
  const auto journal = SqliteJournal::open(scratch.file("journal.db")).value();
  BareLog bare(scratch.file("bare.db"));
  return bench::compare(
      fmt::format("journal_append_{}", batch), "record/s",
      [&] {
        for (int i = 0; i < batches; ++i) append(journal.get(), batch);
        return std::uint64_t(batch) * std::uint64_t(batches);
      },
      [&] {
        for (int i = 0; i < batches; ++i) bare.commit(records_after(bare.seq(), batch));
        return std::uint64_t(batch) * std::uint64_t(batches);
      },
      "bare SQLite, same rows and batch", 9, bench::Clock::Wall);
}

bench::Figure reading() {
  constexpr std::size_t kBatch = 2000;
  constexpr int kBatches = 50;
  const Scratch scratch;
  const auto journal = SqliteJournal::open(scratch.file("journal.db")).value();
  BareLog bare(scratch.file("bare.db"));
  for (int i = 0; i < kBatches; ++i) {
    append(journal.get(), kBatch);
    bare.commit(records_after(bare.seq(), kBatch));
  }
  return bench::compare(
      "journal_read_and_verify", "record/s",
      [&] {
        std::uint64_t rows = 0;
        CHECK(journal->read(1, [&](const StoredRecord&) { return ++rows > 0; }).has_value());
        return rows;
      },
      [&] { return bare.verify(); }, "bare SELECT loop with the chain");
}

// Opening checks the last thousand links and nothing else, so it does not depend on how long the journal is.
bench::Figure opening() {
  const Scratch scratch;
  const std::string small = scratch.file("small.db"), large = scratch.file("large.db");
  for (int i = 0; i < 2; ++i) append(SqliteJournal::open(small).value().get(), 1000);
  {
    const auto journal = SqliteJournal::open(large).value();
    for (int i = 0; i < 40; ++i) append(journal.get(), 5000);
  }
  return bench::compare(
      "journal_open_200000", "ms/op", [&] { return std::uint64_t(SqliteJournal::open(large).has_value()); },
      [&] { return std::uint64_t(SqliteJournal::open(small).has_value()); }, "the same with 2,000 records", 9,
      bench::Clock::Wall);
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  bench::print_figures(argc, argv, {appending(1, 200), appending(64, 100), appending(1000, 20), reading(), opening()});
}
