// SPDX-License-Identifier: Apache-2.0
// The engine over a journal with real threads: what is acknowledged is durable and in order,
// however many threads decide and write, and whatever the disk does.
#include "host/engine_host.h"

#include <atomic>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "flow/memory_journal.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

Command stop_or_resume(int line, bool stop, std::string key = {}) {
  return {LineCommand{stop, fmt::format("owner/{}", line)},
          {"ops", {"admin"}},
          std::move(key),
          {},
          "test"};
}

// Small batches: many appends, however the threads are scheduled.
std::unique_ptr<EngineHost> open_host(Journal* journal, const Clock* clock) {
  auto host = EngineHost::open(journal, clock, {.batch_max = 16});
  EXPECT_TRUE(host) << (host ? "" : host.error().message);
  return std::move(*host);
}

std::string hash_after_reopening(const std::shared_ptr<MemoryDisk>& disk) {
  MemoryJournal journal(disk);
  World world;
  EXPECT_TRUE(journal.read(1, [&](const StoredRecord& stored) {
    return evolve(&world, decode_record(stored.bytes).value()).has_value();
  }));
  return world_hash(world);
}

// As many as EngineHost is used with, until told to end.
class EngineThreads {
 public:
  explicit EngineThreads(EngineHost* host) {
    for (std::jthread& thread : threads_) {
      thread = std::jthread([host](std::stop_token stop) {
        while (!stop.stop_requested() || host->waiting() > 0) {
          if (!host->run_batch(Duration(1))) return;
        }
      });
    }
  }

 private:
  std::array<std::jthread, 2> threads_;
};

struct Answers {
  std::map<int, std::vector<std::uint64_t>> good;  // by writer: seqs in the order of the commands
  std::atomic<int> open = 0, failed = 0;
};

void write_many(EngineHost* host, Answers* answers, int writers, int commands) {
  EngineThreads threads(host);
  std::vector<std::jthread> senders;
  for (int w = 0; w < writers; ++w) {
    std::vector<std::uint64_t>* seqs = &answers->good[w];
    answers->open += commands;
    senders.emplace_back([=] {
      for (int i = 0; i < commands; ++i) {
        const Status sent =
            host->submit(stop_or_resume(w, i % 2 == 0), [=](Result<Receipt> receipt) {
              if (receipt) seqs->push_back(receipt->seq);
              answers->failed += receipt ? 0 : 1;
              --answers->open;
            });
        if (sent) continue;
        --answers->open;
        ++answers->failed;
      }
    });
  }
  senders.clear();
  while (answers->open > 0) std::this_thread::yield();
}

TEST(EngineHost, CommandsSentTogetherAreRefusedOneByOne) {
  VirtualClock clock;
  MemoryJournal journal(std::make_shared<MemoryDisk>());
  const auto host = EngineHost::open(&journal, &clock, {.mailbox_max = 3}).value();
  std::string answers;
  std::vector<Letter> letters;
  for (int i = 0; i < 6; ++i) {  // Stopping a line is a move toward safety: there is room for it.
    letters.push_back({stop_or_resume(i, i % 2 == 1), [&answers, i](Result<Receipt> receipt) {
                         answers += fmt::format("{}{} ", i,
                                                receipt ? "" : to_string(receipt.error().code));
                       }});
  }
  host->post_all(std::move(letters));
  EXPECT_EQ(answers, "4limit ");
  const std::uint64_t commits = host->commits();
  EXPECT_TRUE(host->run_batch().value());
  EXPECT_EQ(host->commits(), commits + 1);
  EXPECT_EQ(answers, "4limit 0 1 2 3 5 ");
}

TEST(EngineHost, TwoThreadsKeepTheOrderOfEachWriter) {
  VirtualClock clock;
  const auto disk = std::make_shared<MemoryDisk>();
  MemoryJournal journal(disk);
  const auto host = open_host(&journal, &clock);
  std::vector<std::uint64_t> told;
  host->listen([&](const World& world, const RecordBatch& records) {
    for (const Record& record : *records) told.push_back(record.seq);
    EXPECT_EQ(world.seq, records->back().seq);
  });
  Answers answers;
  write_many(host.get(), &answers, 4, 500);
  EXPECT_EQ(answers.failed, 0);
  for (const auto& [writer, seqs] : answers.good) {
    EXPECT_EQ(seqs.size(), 500u);
    EXPECT_TRUE(std::is_sorted(seqs.begin(), seqs.end())) << "writer " << writer;
  }
  ASSERT_EQ(told.size(), 2'000u);
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], told[0] + i);
  EXPECT_EQ(world_hash(*host->published()), hash_after_reopening(disk));
}

// Every third append fails before or after the write: whoever was answered well finds the command
// in the journal, and whatever was decided on top of a lost batch is lost with it.
TEST(EngineHost, WhatWasDecidedOnALostBatchIsLostWithIt) {
  VirtualClock clock;
  std::vector<JournalFault> faults;
  for (std::uint64_t at = 4; at < 4'000; at += 3) {
    using Kind = JournalFault::Kind;
    const Kind kind = at % 4 == 0   ? Kind::LostReply
                      : at % 4 == 1 ? Kind::TornBatch
                                    : Kind::FailBefore;
    faults.push_back({kind, at, 1});
  }
  const auto disk = std::make_shared<MemoryDisk>(faults);
  MemoryJournal journal(disk);
  const auto host = open_host(&journal, &clock);
  Answers answers;
  write_many(host.get(), &answers, 4, 400);
  EXPECT_GT(answers.failed, 0);
  EXPECT_FALSE(host->stopped());
  MemoryJournal after(disk);
  std::map<std::uint64_t, std::string> journalled;
  EXPECT_TRUE(after.read(1, [&](const StoredRecord& stored) {
    const Record record = decode_record(stored.bytes).value();
    if (const auto* stopped = std::get_if<LineStopped>(&record.payload)) {
      journalled[record.seq] = stopped->scope;
    } else if (const auto* resumed = std::get_if<LineResumed>(&record.payload)) {
      journalled[record.seq] = resumed->scope;
    }
    return true;
  }));
  std::size_t good = 0;
  for (const auto& [writer, seqs] : answers.good) {
    for (const std::uint64_t seq : seqs) {
      if (seq == 0) continue;  // It was so already: nothing happened.
      ++good;
      ASSERT_TRUE(journalled.contains(seq)) << "an acknowledged command is not in the journal";
      EXPECT_EQ(journalled[seq], fmt::format("owner/{}", writer));
    }
  }
  EXPECT_GT(good, 0u);
  EXPECT_EQ(world_hash(*host->published()), hash_after_reopening(disk));
}

struct LongJournal {
  LongJournal() {
    MemoryJournal journal(disk);
    const auto host = open_host(&journal, &clock);
    for (int i = 0; i < 12'000; ++i) {
      EXPECT_TRUE(host->submit(stop_or_resume(i / 2 % 100, i % 2 == 0, fmt::format("key-{}", i))));
      while (i % 500 == 499 && host->run_batch().value()) continue;
    }
    hash = world_hash(*host->published());
    seq = host->published()->seq;
  }
  VirtualClock clock;
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  std::string hash;
  std::uint64_t seq = 0;
};

TEST(EngineHost, AWorldIsRebuiltFromALongJournal) {
  const LongJournal before;
  EXPECT_GT(before.seq, 12'000u);
  EXPECT_EQ(hash_after_reopening(before.disk), before.hash);
  MemoryJournal journal(before.disk);
  const auto host = open_host(&journal, &before.clock);
  EXPECT_EQ(host->published()->seq, before.seq + 1);  // server_started
  EXPECT_EQ(world_hash(*host->published()), hash_after_reopening(before.disk));
}

TEST(EngineHost, ABrokenRecordInALongJournalStopsTheStart) {
  for (const std::uint64_t seq : {std::uint64_t(2), std::uint64_t(7'000), std::uint64_t(11'999)}) {
    const LongJournal before;
    before.disk->corrupt(seq);
    MemoryJournal journal(before.disk);
    const auto host = EngineHost::open(&journal, &before.clock, {});
    ASSERT_FALSE(host) << seq;
    EXPECT_EQ(host.error().code, ErrorCode::Corrupt);
  }
}

// The clock is looked at again before the first look is decided: one step is one step.
TEST(EngineHost, AStepOfTheClockIsToldOnce) {
  VirtualClock clock;
  MemoryJournal journal(std::make_shared<MemoryDisk>());
  const auto host = open_host(&journal, &clock);
  const Instant before = host->now();
  clock.step(-minutes(30));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(host->submit(host->observe_clock()));
  EXPECT_TRUE(host->run_batch().value());
  EXPECT_EQ(host->published()->clock_offset, -minutes(30));
  EXPECT_EQ(host->wall(), before - minutes(30));
  clock.advance(seconds(10));
  EXPECT_EQ(host->now(), before + seconds(10));
}

// A journal that is ahead of the clock: engine time goes on from its last record.
TEST(EngineHost, TimeGoesOnWhenTheClockIsBehindTheJournal) {
  VirtualClock clock;
  const auto disk = std::make_shared<MemoryDisk>();
  MemoryJournal journal(disk);
  const Instant last = open_host(&journal, &clock)->now();
  clock.step(-hours(1));
  MemoryJournal again(disk);
  const auto host = open_host(&again, &clock);
  EXPECT_EQ(host->now(), last);
  EXPECT_EQ(host->wall(), last - hours(1));
  clock.advance(seconds(7));
  EXPECT_EQ(host->now(), last + seconds(7));
  EXPECT_EQ(world_hash(*host->published()), hash_after_reopening(disk));
}

TEST(EngineHost, StartsFromItsSnapshot) {
  const LongJournal before;
  {
    MemoryJournal journal(before.disk);
    const auto host = open_host(&journal, &before.clock);
    EXPECT_TRUE(host->write_snapshot());
    EXPECT_FALSE(host->snapshot_due());
  }
  before.disk->corrupt(2);  // What the snapshot covers is not read again.
  MemoryJournal journal(before.disk);
  const auto host = open_host(&journal, &before.clock);
  EXPECT_EQ(host->published()->lines.size(), 0u);
  EXPECT_NE(host->published()->keys.find("ops/key-11999"), nullptr);
}

// A journal that cannot be opened again for a while, as on a disk that is being mended.
class DarkJournal final : public Journal {
 public:
  explicit DarkJournal(std::shared_ptr<MemoryDisk> disk) : journal_(std::move(disk)) {}
  Result<JournalTail> tail() override { return journal_.tail(); }
  Result<std::uint64_t> append(std::uint64_t epoch, std::uint64_t expected_seq,
                               std::span<const StoredRecord> batch) override {
    if (dark) return fail(ErrorCode::Unavailable, "the disk does not answer");
    return journal_.append(epoch, expected_seq, batch);
  }
  Status read(std::uint64_t from, const std::function<bool(const StoredRecord&)>& sink) override {
    return journal_.read(from, sink);
  }
  Status reopen() override {
    ++tries;
    if (dark) return fail(ErrorCode::Unavailable, "the disk does not answer");
    return journal_.reopen();
  }
  Status write_snapshot(const JournalSnapshot& s) override { return journal_.write_snapshot(s); }
  Result<std::optional<JournalSnapshot>> newest_snapshot(std::uint64_t seq_max) override {
    return journal_.newest_snapshot(seq_max);
  }
  void subscribe(std::function<void(std::uint64_t)>) override {}

  bool dark = false;
  int tries = 0;

 private:
  MemoryJournal journal_;
};

TEST(EngineHost, AJournalThatCannotBeReadIsTriedAgainWithGrowingPauses) {
  VirtualClock clock;
  DarkJournal journal(std::make_shared<MemoryDisk>());
  const auto host = EngineHost::open(&journal, &clock, {}).value();
  const auto send = [&] {
    std::string answer = "none";
    EXPECT_TRUE(host->submit(stop_or_resume(1, true), [&](Result<Receipt> receipt) {
      answer = receipt ? "done" : to_string(receipt.error().code);
    }));
    EXPECT_TRUE(host->run_batch());
    return answer;
  };
  journal.dark = true;
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(send(), "unavailable");
    clock.advance(Duration(100));
  }
  EXPECT_FALSE(host->stopped());
  EXPECT_GE(journal.tries, 8);
  EXPECT_LE(journal.tries, 20);
  journal.dark = false;
  clock.advance(seconds(10));
  EXPECT_EQ(send(), "done");
  EXPECT_FALSE(host->trouble());
}

// They waited for ever, and with them who had sent them.
TEST(EngineHost, WhoWaitsWhenTheHostStopsForGoodIsTold) {
  VirtualClock clock;
  const auto disk = std::make_shared<MemoryDisk>();
  MemoryJournal journal(disk), other(disk);
  const auto host = EngineHost::open(&journal, &clock, {.batch_max = 2}).value();
  std::vector<std::string> answers;
  for (int line = 0; line < 7; ++line) {
    EXPECT_TRUE(host->submit(stop_or_resume(line, true), [&](const Result<Receipt>& receipt) {
      answers.emplace_back(receipt ? "done" : to_string(receipt.error().code));
    }));
  }
  const auto leader = EngineHost::open(&other, &clock, {}).value();
  EXPECT_FALSE(host->run_batch());
  EXPECT_TRUE(host->stopped());
  const std::vector<std::string> expected{"unavailable", "unavailable", "unavailable",
                                          "unavailable", "unavailable", "conflict",
                                          "conflict"};
  std::ranges::sort(answers, std::greater());
  EXPECT_EQ(answers, expected);
  EXPECT_EQ(host->waiting(), 0u);
  EXPECT_EQ(host->submit(stop_or_resume(9, true)).error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace showcaller::test
