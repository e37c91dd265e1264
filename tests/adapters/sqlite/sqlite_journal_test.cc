// SPDX-License-Identifier: Apache-2.0
// The SQLite journal keeps the port's text, and refuses clearly what it cannot do: a second server,
// a newer file, somebody else's file, a damaged one.
#include "adapters/sqlite/sqlite_journal.h"

#include <filesystem>
#include <fstream>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/sqlite/journal_backup.h"
#include "model/record.h"
#include "tests/adapters/scratch_folder.h"
#include "tests/flow/journal_conformance.h"

namespace showcaller {
namespace {

// What an operator could do with the sqlite3 shell.
void run_sql(const std::string& path, const std::string& sql) {
  const auto database = Database::open(path, OpenMode::ReadWrite);
  ASSERT_TRUE(database) << database.error().message;
  const Status status = database->execute(sql);
  ASSERT_TRUE(status) << status.error().message;
}

class SqliteBench final : public JournalBench {
 public:
  SqliteJournal& sqlite() {
    if (!journal_) {
      auto opened = SqliteJournal::open(path());
      CHECK(opened.has_value());
      journal_ = *std::move(opened);
    }
    return *journal_;
  }
  Journal& journal() override { return sqlite(); }
  void close() override { journal_.reset(); }
  void corrupt(std::uint64_t seq) override {
    run_sql(
        path(),
        fmt::format("UPDATE records SET bytes = replace(bytes, 'seq', 'sep') WHERE seq = {}", seq));
  }
  void fill_disk() override { EXPECT_TRUE(sqlite().limit_pages(12)); }
  void free_disk() override { EXPECT_TRUE(sqlite().limit_pages(0)); }
  std::string path() const { return folder_.file("journal.db"); }

 private:
  ScratchFolder folder_;
  std::unique_ptr<SqliteJournal> journal_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, JournalConformance,
                         testing::Values([] { return std::make_unique<SqliteBench>(); }));

std::unique_ptr<SqliteJournal> open_journal_or_die(const std::string& path,
                                                   const SqliteJournalOptions& options = {}) {
  auto opened = SqliteJournal::open(path, options);
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? *std::move(opened) : nullptr;
}

Error open_error(const std::string& path, const SqliteJournalOptions& options = {}) {
  const auto opened = SqliteJournal::open(path, options);
  EXPECT_FALSE(opened);
  return opened ? Error{} : opened.error();
}

TEST(SqliteJournal, ASecondServerIsRefusedAndReadersAreNot) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const auto journal = open_journal_or_die(path);
  ASSERT_TRUE(append_some(*journal, 3));
  const Error error = open_error(path);
  EXPECT_EQ(error.code, ErrorCode::Conflict);
  EXPECT_NE(error.message.find(fmt::format("in use by process {}", ::getpid())), std::string::npos)
      << error.message;

  const auto reader = open_journal_or_die(path, {.read_only = true});
  EXPECT_EQ(read_all(*reader).value().size(), 3u);
  ASSERT_TRUE(append_some(*journal, 2));
  EXPECT_EQ(reader->tail().value().seq, 5u);
  EXPECT_EQ(read_all(*reader).value().size(), 5u);
  EXPECT_EQ(append_some(*reader, 1).error().code, ErrorCode::Conflict);
}

TEST(SqliteJournal, CanBeReadWhenNoServerRuns) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  EXPECT_EQ(open_error(path, {.read_only = true}).code, ErrorCode::NotFound);
  ASSERT_TRUE(append_some(*open_journal_or_die(path), 3));
  EXPECT_EQ(read_all(*open_journal_or_die(path, {.read_only = true})).value().size(), 3u);
  ASSERT_TRUE(
      append_some(*open_journal_or_die(path), 1));  // And the reader left nothing in the way.
}

TEST(SqliteJournal, AJournalOfANewerVersionIsRefusedUntouched) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  ASSERT_TRUE(append_some(*open_journal_or_die(path), 3));
  run_sql(path, "UPDATE meta SET value = 9 WHERE key = 'format_version'");
  for (const bool read_only : {false, true}) {
    const Error error = open_error(path, {.read_only = read_only});
    EXPECT_EQ(error.code, ErrorCode::Unsupported);
    EXPECT_NE(error.message.find("newer version"), std::string::npos) << error.message;
  }
  run_sql(path, "UPDATE meta SET value = 1 WHERE key = 'format_version'");
  EXPECT_EQ(open_journal_or_die(path)->tail().value().seq, 3u);
}

TEST(SqliteJournal, OtherFilesAreNoJournals) {
  const ScratchFolder folder;
  const std::string other = folder.file("other.db");
  std::ofstream(folder.file("text.db")) << std::string(5000, 'x');
  EXPECT_EQ(open_error(folder.file("text.db")).code, ErrorCode::Corrupt);
  std::ofstream(other).flush();
  run_sql(other, "CREATE TABLE players(id)");
  EXPECT_EQ(open_error(other).code, ErrorCode::Invalid);
  EXPECT_EQ(open_error(folder.file("no/such/folder/journal.db")).code, ErrorCode::Unavailable);
}

TEST(SqliteJournal, OpeningFindsDamageInTheLastRecordsAndVerifyFindsItAnywhere) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  ASSERT_TRUE(append_some(*open_journal_or_die(path), 100));
  run_sql(path, "UPDATE records SET bytes = '{}' WHERE seq = 50");
  const Error error = open_error(path);
  EXPECT_EQ(error.code, ErrorCode::Corrupt);
  EXPECT_NE(error.message.find("record 50 "), std::string::npos) << error.message;

  const auto journal = open_journal_or_die(path, {.verify_last = 10});
  const auto verified = journal->verify();
  EXPECT_EQ(verified.error().code, ErrorCode::Corrupt);
  EXPECT_NE(verified.error().message.find("record 50 "), std::string::npos);
}

TEST(SqliteJournal, MissingRecordsAreNamed) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const auto journal = open_journal_or_die(path);
  ASSERT_TRUE(append_some(*journal, 50));
  run_sql(path, "DELETE FROM records WHERE seq = 20");
  EXPECT_NE(journal->verify().error().message.find("no record 20"), std::string::npos);
  EXPECT_EQ(journal->read(21, [](const auto&) { return true; }).error().code, ErrorCode::Corrupt);
}

TEST(SqliteJournal, ItsFilesAreTheirOwnersAlone) {
  const ScratchFolder folder;
  const auto path = folder.file("journal.db");
  const auto old_mask = ::umask(0);
  const auto journal = open_journal_or_die(path);
  ASSERT_TRUE(append_some(*journal, 1));
  const JournalTail tail = journal->tail().value();
  ASSERT_TRUE(
      journal->write_snapshot({.seq = 1, .hash = tail.hash, .format = 1, .bytes = "world"}));
  ::umask(old_mask);
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 3);  // The journal, its log and the snapshot, at least.
}

TEST(SqliteJournal, ALostTailIsNoticedByTheSnapshotBesideIt) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  {
    const auto journal = open_journal_or_die(path);
    ASSERT_TRUE(append_some(*journal, 10));
    const JournalTail tail = journal->tail().value();
    ASSERT_TRUE(
        journal->write_snapshot({.seq = 10, .hash = tail.hash, .format = 1, .bytes = "world"}));
  }
  run_sql(path, "DELETE FROM records WHERE seq > 7");
  const Error error = open_error(path);
  EXPECT_EQ(error.code, ErrorCode::Corrupt);
  EXPECT_NE(error.message.find("ends at record 7"), std::string::npos) << error.message;
}

TEST(SqliteJournal, AFlippedPageIsCorruptAndNotACrash) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  {
    const auto journal = open_journal_or_die(path);
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(append_some(*journal, 20, std::string(300, 'n')));
  }
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  Random random(3);
  int found = 0;
  for (int round = 0; round < 30; ++round) {
    std::string damaged = bytes;
    const std::size_t page = 1 + random.below(bytes.size() / 4096 - 1);
    for (int i = 0; i < 200; ++i)
      damaged[page * 4096 + random.below(4096)] ^= char(1 + random.below(255));
    std::ofstream(path, std::ios::binary) << damaged;
    const auto journal = SqliteJournal::open(path, {.read_only = true, .verify_last = 1});
    const auto verified =
        journal ? (*journal)->verify() : Result<JournalTail>(std::unexpected(journal.error()));
    if (!verified) {
      EXPECT_TRUE(verified.error().code == ErrorCode::Corrupt) << verified.error().message;
      ++found;
    }
  }
  EXPECT_EQ(found, 30);
}

TEST(SqliteJournal, ASnapshotThatIsNotWholeIsNoSnapshot) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const auto journal = open_journal_or_die(path);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(append_some(*journal, 5));
    const JournalTail tail = journal->tail().value();
    ASSERT_TRUE(journal->write_snapshot(
        {.seq = tail.seq, .hash = tail.hash, .format = 1, .bytes = "a world"}));
  }
  const std::string newest = fmt::format("{}.snapshot-{:020}", path, 10);
  ASSERT_EQ(::truncate(newest.c_str(), 100), 0);
  EXPECT_EQ(journal->newest_snapshot().value().value().seq, 5u);
  std::ofstream(newest) << "showcaller-snapshot 1 10 1 zz 99999999999999 0\n";
  EXPECT_EQ(journal->newest_snapshot().value().value().seq, 5u);
}

TEST(SqliteJournal, FindsTheRecordOfATime) {
  const ScratchFolder folder;
  const auto journal = open_journal_or_die(folder.file("journal.db"));
  EXPECT_EQ(journal->seq_at(instant_ms(0)).value(), 0u);
  ASSERT_TRUE(append_some(*journal, 100));  // 10 ms apart
  const std::int64_t first = 1'700'000'000'010;
  EXPECT_EQ(journal->seq_at(instant_ms(first - 1)).value(), 0u);
  EXPECT_EQ(journal->seq_at(instant_ms(first)).value(), 1u);
  EXPECT_EQ(journal->seq_at(instant_ms(first + 505)).value(), 51u);
  EXPECT_EQ(journal->seq_at(instant_ms(first + 99'999)).value(), 100u);
}

TEST(SqliteJournal, AnotherWriterThatHoldsTheFileIsWaitedForAndOneThatWroteIsAConflict) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const auto journal = open_journal_or_die(path);
  ASSERT_TRUE(append_some(*journal, 1));
  {
    const auto rival = Database::open(path, OpenMode::ReadWrite).value();
    ASSERT_TRUE(rival.execute("BEGIN IMMEDIATE"));
    EXPECT_EQ(append_some(*journal, 2).error().code, ErrorCode::Limit);
  }
  EXPECT_EQ(append_some(*journal, 2).value(), 3u);
  run_sql(path, "INSERT INTO records VALUES (4, 1, 1, '{}', x'00')");
  EXPECT_EQ(append_some(*journal, 2).error().code, ErrorCode::Conflict);
}

TEST(SqliteJournal, WhoeverHeldTheFileAndTookTheLeadIsNotWrittenOver) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const auto journal = open_journal_or_die(path);
  ASSERT_TRUE(append_some(*journal, 1));
  {
    const auto rival = Database::open(path, OpenMode::ReadWrite).value();
    ASSERT_TRUE(rival.execute("BEGIN IMMEDIATE; UPDATE meta SET value = 99 WHERE key = 'epoch'"));
    EXPECT_EQ(append_some(*journal, 1).error().code, ErrorCode::Limit);
    ASSERT_TRUE(rival.execute("COMMIT"));
  }
  EXPECT_EQ(append_some(*journal, 1).error().code, ErrorCode::Conflict);
}

TEST(JournalBackup, ABackupTakenBesideTheWriterIsAWholePrefix) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const auto journal = open_journal_or_die(path);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(append_some(*journal, 20));
  int appended = 0;
  const auto report =
      backup_journal(path, folder.file("backup.db"), [&](std::uint64_t, std::uint64_t) {
        EXPECT_TRUE(append_some(*journal, 5));
        ++appended;
      });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GT(appended, 0);
  EXPECT_EQ(report->tail.seq, 1000u);
  EXPECT_GT(report->bytes, 50'000u);
  const auto copy = open_journal_or_die(folder.file("backup.db"), {.read_only = true});
  EXPECT_EQ(copy->verify().value().hash, report->tail.hash);
  EXPECT_EQ(backup_journal(path, folder.file("backup.db")).error().code, ErrorCode::Conflict);
}

TEST(JournalBackup, RestoreVerifiesKeepsAndRefuses) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const std::string backup = folder.file("backup.db");
  auto journal = open_journal_or_die(path);
  ASSERT_TRUE(append_some(*journal, 10));
  ASSERT_TRUE(backup_journal(path, backup));
  EXPECT_EQ(restore_journal(backup, path).error().code,
            ErrorCode::Conflict);  // a server runs on it
  EXPECT_EQ(restore_journal(backup, path, RestoreForce::Yes).error().code, ErrorCode::Conflict);

  ASSERT_TRUE(append_some(*journal, 5, "newer"));
  const JournalTail newest = journal->tail().value();
  ASSERT_TRUE(
      journal->write_snapshot({.seq = 15, .hash = newest.hash, .format = 1, .bytes = "world"}));
  journal.reset();
  const auto refused = restore_journal(backup, path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
  EXPECT_EQ(open_journal_or_die(path)->tail().value().hash, newest.hash);

  const auto forced = restore_journal(backup, path, RestoreForce::Yes);
  ASSERT_TRUE(forced) << forced.error().message;
  EXPECT_EQ(forced->tail.seq, 11u);  // The record of the restore ends it.
  EXPECT_EQ(open_journal_or_die(path)->tail().value().seq, 11u);
  EXPECT_EQ(open_journal_or_die(forced->kept, {.read_only = true})->tail().value().hash,
            newest.hash);

  EXPECT_EQ(restore_journal(backup, path).error().code, ErrorCode::Conflict);
  const auto fresh = restore_journal(backup, folder.file("elsewhere.db"));
  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_TRUE(fresh->kept.empty());
  EXPECT_TRUE(append_some(*open_journal_or_die(folder.file("elsewhere.db")), 1));
}

// Whoever followed the lost records (game servers, services) must not take the restored server for
// an older one, nor a new name for one that was given before.
TEST(JournalBackup, WhatIsRestoredLeadsWithAHigherEpochAndNamesThingsAnew) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const std::string backup = folder.file("backup.db");
  ASSERT_TRUE(append_some(*open_journal_or_die(path), 10));
  ASSERT_TRUE(backup_journal(path, backup));
  run_sql(path, "UPDATE meta SET value = 40 WHERE key = 'epoch'");
  const auto restored = restore_journal(backup, path, RestoreForce::Yes);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->tail.epoch, 41u);
  const auto lineage_in = [](const std::string& file) {
    std::string lineage;
    EXPECT_TRUE(
        open_journal_or_die(file, {.read_only = true})->read(11, [&](const StoredRecord& stored) {
          lineage = std::get<JournalRestored>(decode_record(stored.bytes).value().payload).lineage;
          return true;
        }));
    return lineage;
  };
  const std::string first = lineage_in(path);
  EXPECT_FALSE(first.empty());
  ASSERT_TRUE(restore_journal(backup, path, RestoreForce::Yes));
  EXPECT_NE(lineage_in(path), first);
}

TEST(JournalBackup, ABadBackupReplacesNothing) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const std::string backup = folder.file("backup.db");
  ASSERT_TRUE(append_some(*open_journal_or_die(path), 10));
  ASSERT_TRUE(backup_journal(path, backup));
  run_sql(backup, "UPDATE records SET bytes = '{}' WHERE seq = 3");
  const auto restored = restore_journal(backup, path, RestoreForce::Yes);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(restore_journal(folder.file("none.db"), path).error().code, ErrorCode::NotFound);
  EXPECT_TRUE(open_journal_or_die(path)->verify());
}

TEST(JournalBackup, ADamagedJournalIsReplacedOnlyByForceAndKept) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  const std::string backup = folder.file("backup.db");
  ASSERT_TRUE(append_some(*open_journal_or_die(path), 10));
  ASSERT_TRUE(backup_journal(path, backup));
  std::ofstream(path) << std::string(9000, '?');
  EXPECT_EQ(restore_journal(backup, path).error().code, ErrorCode::Conflict);
  const auto forced = restore_journal(backup, path, RestoreForce::Yes);
  ASSERT_TRUE(forced) << forced.error().message;
  EXPECT_EQ(open_journal_or_die(path)->tail().value().seq, 11u);
  struct stat kept{};
  EXPECT_EQ(::stat(forced->kept.c_str(), &kept), 0);
  EXPECT_EQ(kept.st_size, 9000);
}

}  // namespace
}  // namespace showcaller
