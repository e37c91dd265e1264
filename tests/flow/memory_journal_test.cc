// SPDX-License-Identifier: Apache-2.0
// The memory journal keeps the port's text, and its faults do what their names say.
#include "flow/memory_journal.h"

#include "tests/flow/journal_conformance.h"

namespace showcaller {
namespace {

class MemoryBench final : public JournalBench {
 public:
  Journal& journal() override {
    if (!journal_) journal_ = std::make_unique<MemoryJournal>(disk_);
    return *journal_;
  }
  void close() override { journal_.reset(); }
  void corrupt(std::uint64_t seq) override { disk_->corrupt(seq); }
  void fill_disk() override {
    disk_->add_fault({JournalFault::Kind::DiskFull, disk_->appends() + 3, 2});
  }
  void free_disk() override {}  // The fault is over by then.

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::unique_ptr<MemoryJournal> journal_;
};

INSTANTIATE_TEST_SUITE_P(Memory, JournalConformance,
                         testing::Values([] { return std::make_unique<MemoryBench>(); }));

struct FaultCase {
  JournalFault::Kind kind;
  ErrorCode code;
  std::uint64_t seq_after;  // what the disk holds
  bool usable_after;        // without reopening
};

TEST(MemoryJournal, FaultsStrikeOnceAndTellTheTruthAboutTheDisk) {
  using enum JournalFault::Kind;
  for (const FaultCase& c : {FaultCase{FailBefore, ErrorCode::Unavailable, 2, false},
                             FaultCase{LostReply, ErrorCode::Unavailable, 5, false},
                             FaultCase{Conflict, ErrorCode::Conflict, 2, true},
                             FaultCase{TornBatch, ErrorCode::Unavailable, 2, false},
                             FaultCase{DiskFull, ErrorCode::Limit, 2, true}}) {
    const auto disk = std::make_shared<MemoryDisk>(std::vector<JournalFault>{{c.kind, 2, 1}});
    MemoryJournal journal(disk);
    int heard = 0;
    journal.subscribe([&](std::uint64_t) { ++heard; });
    ASSERT_TRUE(append_some(journal, 2));
    EXPECT_EQ(append_some(journal, 3).error().code, c.code);
    EXPECT_EQ(heard, 1);
    EXPECT_EQ(bool(append_some(journal, 1)), c.usable_after);
    if (c.usable_after) continue;
    MemoryJournal again(disk);
    EXPECT_EQ(again.tail().value().seq, c.seq_after);
    ASSERT_TRUE(journal.reopen());
    EXPECT_EQ(read_all(journal).value().size(), c.seq_after);
    EXPECT_TRUE(append_some(journal, 1));
  }
}

}  // namespace
}  // namespace showcaller
