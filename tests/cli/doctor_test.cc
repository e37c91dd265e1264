// SPDX-License-Identifier: Apache-2.0
// The doctor finds what was changed outside the journal's chain: columns, evidence, ledgers.
#include "cli/doctor.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "adapters/evidence_files/evidence_files.h"
#include "adapters/sqlite/sqlite_ledger.h"
#include "flow/port/journal_rules.h"
#include "tests/adapters/scratch_folder.h"

namespace showcaller::test {
namespace {

constexpr const char* kGala = R"({"apiVersion": "showcaller.dev/v1", "kind": "LiveEvent",
  "metadata": {"name": "gala", "owner": "ops"}, "spec": {"changes": []}})";

class Doctor : public testing::Test {
 protected:
  void SetUp() override {
    const auto evidence = EvidenceFiles::open(folder_.file("evidence")).value();
    const EvidenceMark mark = evidence->append("gala/r1/v1", R"({"t":10})").value();
    ASSERT_TRUE(evidence->append("gala/r1/v1", R"({"t":20})"));
    ASSERT_TRUE(evidence->flush());
    const auto ledger = SqliteLedger::open(folder_.file("ledger")).value();
    const LedgerEntry ann{"gala", 1, 1, "eu", "ann", "s1", LedgerSource::Served, {}};
    ASSERT_TRUE(ledger->add(std::span(&ann, 1)));
    const LedgerSeal seal = ledger->seal("gala", 1).value();

    add(EventRevised{"gala", 1, "hash", parse_json(kGala).value().as_object()});
    VerdictChanged verdict;
    verdict.event = "gala";
    verdict.revision = verdict.visit = 1;
    verdict.evidence_offset = mark.offset;
    verdict.evidence_hash = to_hex(mark.hash);
    add(std::move(verdict));
    add(LedgerSealed{"gala", 1, seal.rows, seal.root, seal.players});
  }
  void add(Payload payload) {
    const auto journal = SqliteJournal::open(folder_.file("journal.db")).value();
    const JournalTail tail = journal->tail().value();
    Record record;
    record.seq = tail.seq + 1;
    record.payload = std::move(payload);
    StoredRecord stored{.kind = record.kind().number, .bytes = encode_record(record)};
    seal_batch(tail, std::span(&stored, 1));
    ASSERT_TRUE(journal->append(1, tail.seq, std::span(&stored, 1)));
  }
  void run_sql(const std::string& file, const std::string& sql) {
    const auto database = Database::open(folder_.file(file), OpenMode::ReadWrite).value();
    ASSERT_TRUE(database.execute(sql));
  }
  // What it says, and then whether all was good.
  std::string look() {
    std::string said;
    const auto health =
        examine(folder_.path(), {}, [&](const std::string& line) { said += line + "\n"; });
    if (!health) return said + health.error().message;
    return said + (*health == Health::Good ? "good" : "bad");
  }

  const ScratchFolder folder_;
};

TEST_F(Doctor, SaysWhatItLookedAt) {
  const std::string said = look();
  EXPECT_NE(said.find("1 verdicts rest on what is stored; 0 streams"), std::string::npos) << said;
  EXPECT_NE(said.find("1 revisions are as they were sealed; 0 are not kept"), std::string::npos)
      << said;
  EXPECT_TRUE(said.ends_with("good")) << said;
}

TEST_F(Doctor, WhatWasRemovedAsOldIsNoDamage) {
  std::filesystem::remove_all(folder_.file("evidence"));
  std::filesystem::remove_all(folder_.file("ledger"));
  const std::string said = look();
  EXPECT_NE(said.find("1 streams are not kept any more"), std::string::npos) << said;
  EXPECT_TRUE(said.ends_with("good")) << said;
}

TEST_F(Doctor, FindsAColumnThatSaysSomethingElseThanTheRecord) {
  run_sql("journal.db", "UPDATE records SET kind = 14 WHERE seq = 2");
  EXPECT_NE(look().find("record 2 of the journal: its column kind"), std::string::npos) << look();
  run_sql("journal.db", "UPDATE records SET kind = 19, time_ms = 5 WHERE seq = 2");
  EXPECT_NE(look().find("its column time_ms"), std::string::npos) << look();
}

TEST_F(Doctor, FindsEvidenceThatIsNotWhatAVerdictRestedOn) {
  const std::string path = folder_.file("evidence/gala+r1+v1.evidence");
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(67);
  file << 'T';
  file.close();
  const std::string said = look();
  EXPECT_NE(said.find("gala/r1/v1 up to byte 9 is not what the verdict of record 2"),
            std::string::npos)
      << said;
  EXPECT_TRUE(said.ends_with("bad"));
}

TEST_F(Doctor, FindsALedgerThatIsNotWhatWasSealed) {
  run_sql("ledger/gala+r1.ledger", "UPDATE rows SET session = 's2'");
  const std::string said = look();
  EXPECT_NE(said.find("gala r1 is not what was sealed: 1 rows now, 1 then"), std::string::npos)
      << said;
  EXPECT_TRUE(said.ends_with("bad"));
}

}  // namespace
}  // namespace showcaller::test
