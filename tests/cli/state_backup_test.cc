// SPDX-License-Identifier: Apache-2.0
// A backup of a server's folder holds all that a server needs to go on as it was; restored, nobody
// is assigned anew and nobody is forgotten.
#include "cli/serve/state_backup.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "adapters/evidence_files/evidence_files.h"
#include "adapters/sqlite/sqlite_journal.h"
#include "adapters/sqlite/sqlite_ledger.h"
#include "cli/private_file.h"
#include "flow/port/journal_rules.h"
#include "tests/adapters/scratch_folder.h"

namespace showcaller::test {
namespace {

namespace fs = std::filesystem;

Status append_one(SqliteJournal* journal) {
  TRY(const JournalTail tail, journal->tail());
  StoredRecord record{.kind = 1, .time_ms = 1, .bytes = "{}"};
  seal_batch(tail, std::span(&record, 1));
  TRY(journal->append(1, tail.seq, std::span(&record, 1)));
  return {};
}

class StateBackup : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(data_);
    const auto journal = SqliteJournal::open(data_ + "/journal.db").value();
    secret_ = open_secret(data_, 0).value();
    ASSERT_TRUE(append_one(journal.get()));
    expose("ann");
    const auto evidence = EvidenceFiles::open(data_ + "/evidence").value();
    ASSERT_TRUE(evidence->append("winter-raid/r1/v1", "{}"));
    ASSERT_TRUE(evidence->flush());
  }
  void expose(const std::string& player) {
    const auto ledger = SqliteLedger::open(data_ + "/ledger").value();
    const LedgerEntry entry{"winter-raid", 1, 1, "eu", player, "s1", LedgerSource::Served, {}};
    ASSERT_TRUE(ledger->add(std::span(&entry, 1)));
  }
  static std::int64_t rows(const std::string& data) {
    return SqliteLedger::open(data + "/ledger").value()->seal("winter-raid", 1).value().rows;
  }
  static std::size_t ticks(const std::string& data) {
    std::size_t lines = 0;
    const auto evidence = EvidenceFiles::open(data + "/evidence").value();
    EXPECT_TRUE(evidence->read("winter-raid/r1/v1",
                               [&](std::string_view, const EvidenceMark&) { return ++lines > 0; }));
    return lines;
  }

  const ScratchFolder folder_;
  const std::string data_ = folder_.file("state"), backup_ = folder_.file("friday");
  std::string secret_;
};

TEST_F(StateBackup, HoldsAllThatAServerNeedsForItsOwnerAlone) {
  const auto report = backup_state(data_, backup_);
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& entry : fs::recursive_directory_iterator(backup_)) {
    const auto others = fs::perms::group_all | fs::perms::others_all;
    EXPECT_EQ(entry.status().permissions() & others, fs::perms::none) << entry.path();
  }
  EXPECT_EQ(backup_state(data_, backup_).error().code, ErrorCode::Conflict);

  const std::string elsewhere = folder_.file("new/state");
  const auto restored = restore_state(backup_, elsewhere, RestoreForce::No);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_TRUE(restored->kept.empty());
  EXPECT_TRUE(fs::is_directory(elsewhere));
  EXPECT_EQ(open_secret(elsewhere, 2).value(), secret_);
  EXPECT_EQ(rows(elsewhere), 1);
  EXPECT_EQ(ticks(elsewhere), 1u);
  EXPECT_EQ(SqliteJournal::open(elsewhere + "/journal.db").value()->verify().value().seq, 2u);
}

TEST_F(StateBackup, TheLedgerThatIsThereStaysAndEvidenceIsSetAside) {
  ASSERT_TRUE(backup_state(data_, backup_));
  expose("bob");
  {
    const auto evidence = EvidenceFiles::open(data_ + "/evidence").value();
    ASSERT_TRUE(evidence->append("winter-raid/r1/v1", "{}"));
    const auto journal = SqliteJournal::open(data_ + "/journal.db").value();
    ASSERT_TRUE(append_one(journal.get()));
  }
  EXPECT_EQ(restore_state(backup_, data_, RestoreForce::No).error().code, ErrorCode::Conflict);
  EXPECT_EQ(ticks(data_), 2u);  // A refused restore changes nothing.
  const auto restored = restore_state(backup_, data_, RestoreForce::Yes);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->kept.size(), 2u);
  EXPECT_EQ(restored->notes.size(), 1u);
  EXPECT_EQ(rows(data_), 2);
  EXPECT_EQ(ticks(data_), 1u);
}

TEST_F(StateBackup, AJournalAloneNeedsTheSecretThatBelongsToIt) {
  const std::string alone = folder_.file("friday.db");
  ASSERT_TRUE(backup_journal(data_ + "/journal.db", alone));
  const std::string elsewhere = folder_.file("elsewhere");
  EXPECT_EQ(restore_state(alone, elsewhere, RestoreForce::No).error().code, ErrorCode::NotFound);
  EXPECT_FALSE(fs::exists(elsewhere));
  fs::create_directories(elsewhere);
  fs::copy_file(data_ + "/secret", elsewhere + "/secret");
  const auto restored = restore_state(alone, elsewhere, RestoreForce::No);
  ASSERT_TRUE(restored) << restored.error().message;
}

TEST_F(StateBackup, NoServerStartsWithAnotherSecretThanItsJournals) {
  fs::remove(data_ + "/secret");
  const auto lost = open_secret(data_, 1);
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("assigned anew"), std::string::npos);
  EXPECT_FALSE(fs::exists(data_ + "/secret"));
  EXPECT_EQ(backup_state(data_, backup_).error().code, ErrorCode::NotFound);
  std::ofstream(data_ + "/secret") << "abc\n";
  EXPECT_EQ(open_secret(data_, 1).error().code, ErrorCode::Corrupt);
}

}  // namespace
}  // namespace showcaller::test
