// SPDX-License-Identifier: Apache-2.0
// The conformance suite of port flow/port/journal.h. An implementation instantiates it with a
// JournalBench:
//   INSTANTIATE_TEST_SUITE_P(Memory, JournalConformance, testing::Values(make_memory_bench));
// Include it in one source file of a test program.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "flow/port/journal.h"
#include "tests/flow/journal_batches.h"

namespace showcaller {

// One journal on some disk that outlives its openings.
class JournalBench {
 public:
  virtual ~JournalBench() = default;
  virtual Journal& journal() = 0;  // opens it when it is closed
  virtual void close() = 0;
  virtual void corrupt(
      std::uint64_t seq) = 0;    // changes a byte of a stored record, behind the journal's back
  virtual void fill_disk() = 0;  // appends fail for want of space ...
  virtual void free_disk() = 0;  // ... until now
};
using MakeJournalBench = std::function<std::unique_ptr<JournalBench>()>;

class JournalConformance : public testing::TestWithParam<MakeJournalBench> {
 protected:
  void SetUp() override { bench_ = GetParam()(); }
  Journal& journal() { return bench_->journal(); }

  std::unique_ptr<JournalBench> bench_;
};

TEST_P(JournalConformance, AnEmptyJournalHasTheZeroTail) {
  const JournalTail tail = journal().tail().value();
  EXPECT_EQ(tail.seq, 0u);
  EXPECT_EQ(tail.hash, Sha256{});
  EXPECT_EQ(tail.epoch, 0u);
  EXPECT_TRUE(read_all(journal()).value().empty());
  EXPECT_FALSE(journal().newest_snapshot().value().has_value());
}

TEST_P(JournalConformance, WhatIsAppendedIsReadBackFieldByField) {
  const auto batch = make_batch({}, 5);
  EXPECT_EQ(journal().append(1, 0, batch).value(), 5u);
  const auto records = read_all(journal()).value();
  ASSERT_EQ(records.size(), 5u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(records[i].seq, batch[i].seq);
    EXPECT_EQ(records[i].kind, batch[i].kind);
    EXPECT_EQ(records[i].time_ms, batch[i].time_ms);
    EXPECT_EQ(records[i].bytes, batch[i].bytes);
    EXPECT_EQ(records[i].hash, batch[i].hash);
  }
  const JournalTail tail = journal().tail().value();
  EXPECT_EQ(tail.seq, 5u);
  EXPECT_EQ(tail.hash, batch[4].hash);
  EXPECT_EQ(tail.time_ms, batch[4].time_ms);
  EXPECT_EQ(tail.epoch, 1u);
}

TEST_P(JournalConformance, ReadsFromAnySeqAndStopsWhenTold) {
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(append_some(journal(), 1 + i % 5));
  const std::uint64_t last = journal().tail().value().seq;
  for (const std::uint64_t from : {std::uint64_t(0), std::uint64_t(1), std::uint64_t(2),
                                   std::uint64_t(257), last - 1, last, last + 1, last + 100}) {
    std::uint64_t next = std::max<std::uint64_t>(from, 1);
    ASSERT_TRUE(journal().read(from, [&](const StoredRecord& record) {
      EXPECT_EQ(record.seq, next++);
      return true;
    }));
    EXPECT_EQ(next, std::max(last + 1, from)) << from;
  }
  int seen = 0;
  ASSERT_TRUE(journal().read(10, [&](const StoredRecord&) { return ++seen < 3; }));
  EXPECT_EQ(seen, 3);
}

TEST_P(JournalConformance, AWrongSeqIsAConflictAndWritesNothing) {
  ASSERT_TRUE(append_some(journal(), 3));
  const JournalTail tail = journal().tail().value();
  for (const std::uint64_t expected : {std::uint64_t(0), std::uint64_t(2), std::uint64_t(4)}) {
    JournalTail other = tail;
    other.seq = expected;
    const auto result = journal().append(1, expected, make_batch(other, 2));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Conflict);
  }
  EXPECT_EQ(read_all(journal()).value().size(), 3u);
  EXPECT_TRUE(append_some(journal(), 1));
}

TEST_P(JournalConformance, AnOlderEpochIsAConflictForEver) {
  ASSERT_TRUE(journal().append(7, 0, make_batch({}, 1)));
  const JournalTail tail = journal().tail().value();
  EXPECT_EQ(tail.epoch, 7u);
  EXPECT_EQ(journal().append(6, 1, make_batch(tail, 1)).error().code, ErrorCode::Conflict);
  bench_->close();
  EXPECT_EQ(journal().tail().value().epoch, 7u);
  EXPECT_EQ(journal().append(6, 1, make_batch(tail, 1)).error().code, ErrorCode::Conflict);
  EXPECT_TRUE(journal().append(7, 1, make_batch(tail, 1)));
}

TEST_P(JournalConformance, AnotherHistoryIsAConflict) {
  ASSERT_TRUE(append_some(journal(), 2));
  JournalTail other = journal().tail().value();
  other.hash = sha256("another past");
  EXPECT_EQ(journal().append(other.epoch, other.seq, make_batch(other, 1)).error().code,
            ErrorCode::Conflict);
  EXPECT_EQ(journal().tail().value().seq, 2u);
}

TEST_P(JournalConformance, ABatchWithAGapIsInvalidAndLeavesNothing) {
  auto batch = make_batch({}, 3);
  batch[2].seq = 4;
  EXPECT_EQ(journal().append(1, 0, batch).error().code, ErrorCode::Invalid);
  EXPECT_TRUE(read_all(journal()).value().empty());
  EXPECT_EQ(journal().tail().value().epoch, 0u);
}

TEST_P(JournalConformance, AnEmptyBatchIsNothing) {
  ASSERT_TRUE(append_some(journal(), 2));
  EXPECT_EQ(journal().append(9, 2, {}).value(), 2u);
  EXPECT_EQ(journal().tail().value().epoch, 0u);
  EXPECT_EQ(journal().append(9, 1, {}).error().code, ErrorCode::Conflict);
}

TEST_P(JournalConformance, TheTailIsThereAfterReopening) {
  Random random(11);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(append_some(journal(), 1 + int(random.below(9))));
    const JournalTail before = journal().tail().value();
    if (random.chance(0.3)) bench_->close();
    const JournalTail after = journal().tail().value();
    EXPECT_EQ(after.seq, before.seq);
    EXPECT_EQ(after.hash, before.hash);
    EXPECT_EQ(after.time_ms, before.time_ms);
  }
  EXPECT_EQ(read_all(journal()).value().size(), journal().tail().value().seq);
}

TEST_P(JournalConformance, AChangedByteIsFoundAndNamed) {
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(append_some(journal(), 10));
  bench_->corrupt(150);
  std::uint64_t last = 0;
  const Status read = journal().read(1, [&](const StoredRecord& record) {
    last = record.seq;
    return true;
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::Corrupt);
  EXPECT_NE(read.error().message.find("record 150"), std::string::npos) << read.error().message;
  EXPECT_EQ(last, 149u);  // What comes after a break in the chain is shown to nobody.
  EXPECT_EQ(read_all(journal(), 151).value().size(), 150u);
}

TEST_P(JournalConformance, AFullDiskLosesNothingAndHealsWithSpace) {
  ASSERT_TRUE(append_some(journal(), 10));
  bench_->fill_disk();
  int written = 0;
  Result<std::uint64_t> result = 0;
  while ((result = append_some(journal(), 20, std::string(2000, 'x')))) ASSERT_LT(++written, 1000);
  EXPECT_EQ(result.error().code, ErrorCode::Limit) << result.error().message;
  EXPECT_EQ(append_some(journal(), 20, std::string(2000, 'x')).error().code, ErrorCode::Limit);
  EXPECT_EQ(read_all(journal()).value().size(), 10u + 20u * std::size_t(written));
  bench_->free_disk();
  ASSERT_TRUE(append_some(journal(), 20, std::string(2000, 'x')));
  bench_->close();
  EXPECT_EQ(read_all(journal()).value().size(), 30u + 20u * std::size_t(written));
}

TEST_P(JournalConformance, SnapshotsAreFoundBySeqAndTwoAreKept) {
  std::vector<JournalTail> tails;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(append_some(journal(), 10));
    tails.push_back(journal().tail().value());
    ASSERT_TRUE(journal().write_snapshot({.seq = tails.back().seq,
                                          .hash = tails.back().hash,
                                          .format = 4,
                                          .bytes = fmt::format("world {}\n\0", i)}));
  }
  for (int round = 0; round < 2; ++round) {
    const auto newest = journal().newest_snapshot().value();
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->seq, 30u);
    EXPECT_EQ(newest->hash, tails[2].hash);
    EXPECT_EQ(newest->format, 4u);
    EXPECT_EQ(newest->bytes, fmt::format("world {}\n\0", 2));
    EXPECT_EQ(journal().newest_snapshot(29).value().value().seq, 20u);
    EXPECT_FALSE(journal().newest_snapshot(19).value());
    bench_->close();
  }
}

TEST_P(JournalConformance, ASnapshotOfAnotherHistoryIsNoSnapshot) {
  ASSERT_TRUE(append_some(journal(), 10));
  ASSERT_TRUE(
      journal().write_snapshot({.seq = 10, .hash = sha256("else"), .format = 1, .bytes = "world"}));
  EXPECT_FALSE(journal().newest_snapshot().value());
}

TEST_P(JournalConformance, TheSubscriberHearsOfWhatIsDurableAndOfNothingElse) {
  std::vector<std::uint64_t> heard;
  journal().subscribe([&](std::uint64_t seq) {
    heard.push_back(seq);
    EXPECT_EQ(read_all(journal()).value().size(), seq);
  });
  ASSERT_TRUE(append_some(journal(), 2));
  ASSERT_TRUE(append_some(journal(), 3));
  EXPECT_FALSE(journal().append(0, 1, make_batch({}, 1)));
  EXPECT_EQ(heard, (std::vector<std::uint64_t>{2, 5}));
}

TEST_P(JournalConformance, ReadingBesideTheWriterSeesWholeBatches) {
  ASSERT_TRUE(append_some(journal(), 4));
  std::uint64_t seen = 0;
  ASSERT_TRUE(journal().read(1, [&](const StoredRecord& record) {
    seen = record.seq;
    if (record.seq <= 8) {
      EXPECT_TRUE(append_some(journal(), 4));
    }
    return true;
  }));
  EXPECT_EQ(seen % 4, 0u);
  EXPECT_GE(seen, 4u);
  EXPECT_EQ(journal().tail().value().seq, read_all(journal()).value().size());
}

TEST_P(JournalConformance, OtherThreadsReadWhatIsWholeWhileOneWrites) {
  constexpr int kBatches = 60;
  Journal& shared = journal();
  std::atomic<bool> done = false;
  std::vector<std::string> wrong(3);
  std::vector<std::thread> readers;
  for (std::string& mine : wrong) {
    readers.emplace_back([&shared, &done, &mine] {
      while (!done && mine.empty()) {
        const auto tail = shared.tail();
        const auto records = read_all(shared);
        if (!tail || !records)
          mine = "an error";
        else if (records->size() < tail->seq || records->size() % 7 != 0)
          mine = fmt::format("{} records", records->size());
      }
    });
  }
  bool appended = true;
  for (int i = 0; i < kBatches && appended; ++i) appended = append_some(shared, 7).has_value();
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(appended);
  for (const std::string& mine : wrong) EXPECT_EQ(mine, "");
}

}  // namespace showcaller
