// SPDX-License-Identifier: Apache-2.0
// The power goes at a random moment, the disk keeps what a sync covered and a random rest: after
// the restart every acknowledged batch is there, no batch is there by half, and the chain holds.
// With the sync taken out the same test must find a loss, or it would prove nothing.
#include <cstdlib>

#include <gtest/gtest.h>

#include "adapters/sqlite/sqlite_journal.h"
#include "base/random.h"
#include "tests/adapters/scratch_folder.h"
#include "tests/adapters/sqlite/power_disk.h"
#include "tests/flow/journal_batches.h"

namespace showcaller {
namespace {

struct Life {
  std::vector<std::uint64_t> batch_ends{
      0};  // seq of the last record of each batch that was tried, by history
  std::uint64_t acknowledged = 0;
  JournalTail tail;
};

// Appends until the power goes.
void work(Journal* journal, Random* random, Life* life) {
  while (true) {
    const auto batch =
        make_batch(life->tail, 1 + int(random->below(12)), std::string(random->below(900), 'p'));
    life->batch_ends.push_back(batch.back().seq);
    if (!journal->append(1, life->tail.seq, batch)) return;
    life->acknowledged = batch.back().seq;
    life->tail = {.seq = batch.back().seq, .hash = batch.back().hash, .epoch = 1};
    if (random->chance(0.05)) {
      (void)read_all(
          *journal, life->tail.seq -
                        life->tail.seq % 50);  // A reader beside the writer has its own connection.
    }
  }
}

// What is wrong after the restart; empty: nothing.
std::string inspect(SqliteJournal* journal, Life* life) {
  const auto verified = journal->verify();
  if (!verified) return "verify: " + verified.error().message;
  if (verified->seq < life->acknowledged) {
    return fmt::format("acknowledged up to {}, found {}", life->acknowledged, verified->seq);
  }
  if (std::find(life->batch_ends.begin(), life->batch_ends.end(), verified->seq) ==
      life->batch_ends.end()) {
    return fmt::format("half a batch: ends at {}", verified->seq);
  }
  life->tail = *verified;
  life->acknowledged = verified->seq;
  life->batch_ends = {verified->seq};
  return {};
}

enum class Syncs { Kept, Removed };

// One disk, several power cuts. Returns the first thing that was wrong.
std::string story(std::uint64_t seed, Syncs syncs, const ScratchFolder& folder) {
  Random random(seed);
  PowerDisk disk(seed);
  Life life;
  const SqliteJournalOptions options{.vfs = disk.name()};
  const std::string path = folder.file(fmt::format("journal-{}.db", seed));
  for (int cut = 0; cut < 4; ++cut) {
    auto journal = SqliteJournal::open(path, options);
    if (!journal) return fmt::format("cut {}: open: {}", cut, journal.error().message);
    if (const std::string wrong = inspect(journal->get(), &life); !wrong.empty())
      return fmt::format("cut {}: {}", cut, wrong);
    disk.ignore_syncs(syncs == Syncs::Removed);
    // Mostly within some batches, at times long enough for several checkpoints of the log.
    disk.fail_after(random.chance(0.95) ? random.below(150) : random.below(9'000));
    work(journal->get(), &random, &life);
    journal->reset();
    // Often the power goes again while the journal is being opened.
    disk.restart();
    if (random.chance(0.3)) {
      disk.fail_after(random.below(12));
      (void)SqliteJournal::open(path, options);
      disk.restart();
    }
  }
  auto journal = SqliteJournal::open(path, options);
  if (!journal) return "open: " + journal.error().message;
  return inspect(journal->get(), &life);
}

int seeds(int usual) {
  const char* asked = std::getenv("SHOWCALLER_SEEDS");
  return asked != nullptr ? std::atoi(asked) : usual;
}

TEST(PowerLoss, NothingAcknowledgedIsLostAndNoBatchIsTorn) {
  const ScratchFolder folder;
  for (int seed = 1; seed <= seeds(150); ++seed) {
    const std::string wrong = story(std::uint64_t(seed), Syncs::Kept, folder);
    ASSERT_TRUE(wrong.empty()) << "seed " << seed << ": " << wrong;
  }
}

TEST(PowerLoss, ARemovedSyncIsNoticed) {
  const ScratchFolder folder;
  int noticed = 0;
  for (int seed = 1; seed <= 20; ++seed)
    noticed += !story(std::uint64_t(seed), Syncs::Removed, folder).empty();
  EXPECT_GE(noticed, 15);
}

// A write or a sync fails, and the disk comes back: nobody can know whether the batch is there, so
// the journal says so and takes nothing more until it has looked.
TEST(PowerLoss, AfterAFailedWriteOrSyncTheJournalIsReadAgainBeforeItIsWritten) {
  const ScratchFolder folder;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    PowerDisk disk(2000 + seed);
    Random random(seed);
    Life life;
    auto journal =
        SqliteJournal::open(folder.file(fmt::format("{}.db", seed)), {.vfs = disk.name()}).value();
    for (int failure = 0; failure < 5; ++failure) {
      disk.fail_after(random.below(60));
      work(journal.get(), &random, &life);
      EXPECT_EQ(append_some(*journal, 1).error().code, ErrorCode::Unavailable);
      EXPECT_FALSE(journal->reopen());
      disk.revive();
      EXPECT_EQ(append_some(*journal, 1).error().code, ErrorCode::Unavailable);
      ASSERT_TRUE(journal->reopen());
      const std::string wrong = inspect(journal.get(), &life);
      ASSERT_TRUE(wrong.empty()) << "seed " << seed << ": " << wrong;
      ASSERT_TRUE(append_some(*journal, 1));
      life.tail = journal->tail().value();
      life.acknowledged = life.tail.seq;
      life.batch_ends = {life.tail.seq};
    }
  }
}

TEST(PowerLoss, AFullDiskRefusesAndGoesOnWhenThereIsSpace) {
  const ScratchFolder folder;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    PowerDisk disk(1000 + seed);
    const SqliteJournalOptions options{.vfs = disk.name()};
    auto journal = SqliteJournal::open(folder.file(fmt::format("{}.db", seed)), options).value();
    ASSERT_TRUE(append_some(*journal, 5));
    disk.set_bytes_max(100'000 + random.below(300'000));
    Result<std::uint64_t> result = 0;
    while ((result = append_some(*journal, 1 + int(random.below(30)), std::string(500, 'x'))))
      continue;
    ASSERT_EQ(result.error().code, ErrorCode::Limit) << result.error().message;
    const JournalTail full = journal->tail().value();
    ASSERT_EQ(read_all(*journal).value().size(), full.seq);
    // Whether the server lives on, dies or loses its power: all of it is there, and there is no
    // more than that.
    const auto fate = random.below(3);
    disk.set_bytes_max(fate == 0 ? UINT64_MAX : 2'000'000);
    if (fate > 0) {
      journal.reset();
      if (fate == 2) disk.restart();
      journal = SqliteJournal::open(folder.file(fmt::format("{}.db", seed)), options).value();
    }
    ASSERT_EQ(journal->verify().value().hash, full.hash);
    ASSERT_TRUE(append_some(*journal, 30, std::string(500, 'x')));
    journal.reset();
  }
}

}  // namespace
}  // namespace showcaller
