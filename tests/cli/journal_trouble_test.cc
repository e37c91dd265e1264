// SPDX-License-Identifier: Apache-2.0
// The host over the real journal when the disk is full or somebody else holds the file: nothing is
// lost, what lives on the published world goes on, and with the cause the trouble is gone.
#include <gtest/gtest.h>

#include "adapters/sqlite/sqlite_database.h"
#include "adapters/sqlite/sqlite_journal.h"
#include "cli/serve/host_backend.h"
#include "tests/adapters/scratch_folder.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

class JournalTrouble : public testing::Test {
 protected:
  void SetUp() override {
    journal_ = SqliteJournal::open(path_).value();
    HostPorts ports;
    ports.journal = journal_.get();
    ports.clock = &clock_;
    ports.evidence = &evidence_;
    ports.ledger = &ledger_;
    HostOptions options;
    options.secret = "a secret";
    options.on_error = [this](const Error& error) { told_.push_back(error.message); };
    host_ = Host::open(ports, options).value();
  }

  // One command, with so much to write that a full disk shows.
  Result<Receipt> command(bool stop, const std::string& scope) {
    Result<Receipt> answer = fail(ErrorCode::Internal, "no answer");
    Command command{LineCommand{stop, scope}, {"ann", {"admin"}}, {}, {}, std::string(9'000, 'x')};
    EXPECT_TRUE(host_->engine().submit(std::move(command),
                                       [&](Result<Receipt> r) { answer = std::move(r); }));
    const auto ran = host_->engine().run_batch();
    EXPECT_TRUE(ran) << (ran ? "" : ran.error().message);
    return answer;
  }
  json::object readiness() {
    return HostBackend(host_.get(), journal_.get(), {"test", "test"}).readiness();
  }
  void fill_the_disk() {
    // A page above what there is: the first page is written, the next is not.
    const auto pages =
        Database::open(path_, OpenMode::ReadOnly).value().query_int("PRAGMA page_count").value();
    ASSERT_TRUE(journal_->limit_pages(pages));
  }

  const ScratchFolder folder_;
  const std::string path_ = folder_.file("journal.db");
  VirtualClock clock_;
  std::unique_ptr<SqliteJournal> journal_;
  MemoryEvidenceStore evidence_;
  MemoryLedger ledger_;
  std::unique_ptr<Host> host_;
  std::vector<std::string> told_;
};

TEST_F(JournalTrouble, AFullDiskIsWaitedForAndNothingIsLost) {
  ASSERT_TRUE(command(true, "owner/before"));
  fill_the_disk();
  for (int i = 0; i < 3; ++i) {
    const auto refused = command(true, "owner/lost");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_NE(refused.error().message.find("free some space"), std::string::npos)
        << refused.error().message;
    EXPECT_GT(refused.error().retry_after_s, 0);
    host_->pass();
  }
  EXPECT_FALSE(host_->engine().stopped());
  EXPECT_EQ(told_.size(), 1u) << "told once, not at every try";
  EXPECT_FALSE(get_bool(readiness(), "ready"));
  EXPECT_EQ(host_->world()->lines.size(), 1u);  // Readers see what was there before.
  ASSERT_TRUE(host_->flags(FlagVisibility::Server));

  ASSERT_TRUE(journal_->limit_pages(0));
  const auto good = command(true, "owner/after");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_TRUE(get_bool(readiness(), "ready"));
  EXPECT_EQ(host_->world()->lines.find("owner/lost"), nullptr);
  EXPECT_NE(host_->world()->lines.find("owner/after"), nullptr);
  const std::uint64_t seq = host_->world()->seq;
  host_.reset();
  journal_.reset();
  EXPECT_EQ(SqliteJournal::open(path_).value()->verify().value().seq, seq);
}

TEST_F(JournalTrouble, SomebodyWhoHoldsTheFileForAWhileStopsNobody) {
  {
    const auto other = Database::open(path_, OpenMode::ReadWrite).value();
    ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
    EXPECT_EQ(command(true, "owner/lost").error().code, ErrorCode::Unavailable);
  }
  EXPECT_TRUE(command(true, "owner/after"));
  EXPECT_FALSE(host_->engine().stopped());
}

TEST_F(JournalTrouble, WhoeverTookTheLeadMeanwhileStopsThisServerAndIsNamed) {
  {
    const auto other = Database::open(path_, OpenMode::ReadWrite).value();
    ASSERT_TRUE(other.execute("UPDATE meta SET value = 99 WHERE key = 'epoch'; BEGIN IMMEDIATE"));
    EXPECT_EQ(command(true, "owner/lost").error().code, ErrorCode::Unavailable);
  }
  EXPECT_TRUE(host_->engine().submit(TimePassed{}));
  Command command{LineCommand{true, "owner/lost"}, {"ann", {"admin"}}, {}, {}, "test"};
  ASSERT_TRUE(host_->engine().submit(std::move(command)));
  const auto ran = host_->engine().run_batch();
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, ErrorCode::Conflict);
  EXPECT_NE(ran.error().message.find("epoch 99"), std::string::npos) << ran.error().message;
  EXPECT_EQ(host_->engine().run_batch().error(), ran.error());
}

}  // namespace
}  // namespace showcaller::test
