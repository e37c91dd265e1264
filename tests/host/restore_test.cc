// SPDX-License-Identifier: Apache-2.0
// After a restore the world outside knows more than the journal: game servers of a higher epoch,
// instances and calls that the lost records named. The restored server leads them all the same, and
// names nothing twice.
#include <gtest/gtest.h>

#include "flow/port/journal_rules.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kRestoreHouse = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: grants, owner: ops }
spec: { url: "http://127.0.0.1:1/api" }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: ops }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [x] } ]
  regions: [ { name: eu, zone: UTC } ]
  capacity: { min: 2, max: 2 }
)";

constexpr const char* kGala = R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  changes: [ { action: { do: grants/open, undo: grants/close } } ]
  rollout: { stages: [ { name: all, exposure: 100%, bake: 1h, gated: false } ] }
)";

// What `showcaller restore` leaves at the end of the journal.
void mark_restored(Theatre* theatre) {
  MemoryJournal journal(theatre->disk);
  const JournalTail tail = journal.tail().value();
  Record record;
  record.seq = tail.seq + 1;
  record.time = instant_ms(tail.time_ms);
  record.epoch = tail.epoch + 1;
  record.actor = "restore";
  record.payload = JournalRestored{"7f3a1c", 42, theatre->clock.wall()};
  StoredRecord stored{
      .kind = record.kind().number, .time_ms = tail.time_ms, .bytes = encode_record(record)};
  seal_batch(tail, std::span(&stored, 1));
  ASSERT_TRUE(journal.append(record.epoch, tail.seq, std::span(&stored, 1)));
}

TEST(Restore, TheServerLeadsGameServersThatKnowAHigherEpoch) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("house.yaml", kRestoreHouse));
  ASSERT_TRUE(theatre.driver.apply(99, {}));
  theatre.restart(seconds(1));
  theatre.advance(seconds(10));
  EXPECT_EQ(theatre.host().engine().epoch(), 100u);
  EXPECT_EQ(theatre.errors.size(), 0u);
  EXPECT_EQ(theatre.world()->instances.size(), 2u);
}

TEST(Restore, NothingIsNamedAsTheLostRecordsMayHaveNamedIt) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("house.yaml", kRestoreHouse));
  mark_restored(&theatre);
  theatre.restart(seconds(1));
  ASSERT_TRUE(theatre.apply("gala.yaml", kGala));
  theatre.advance(seconds(10));
  EXPECT_TRUE(theatre.world()->instances.contains("raid/raid-7f3a1c-1"));
  ASSERT_EQ(theatre.actions.effects.size(), 1u);
  EXPECT_EQ(theatre.actions.effects.begin()->first, "gala/r1/s0/do/7f3a1c");
  EXPECT_EQ(world_from_text(world_to_text(*theatre.world())).value().lineage, "7f3a1c");
}

// The call that was on its way when the backup was taken may have taken effect.
TEST(Restore, ACallThatBeganBeforeGoesOnUnderItsKey) {
  Theatre theatre;
  theatre.actions.answers["grants/open"] = {StepOutcome::Unknown, 1};
  ASSERT_TRUE(theatre.apply("house.yaml", kRestoreHouse));
  ASSERT_TRUE(theatre.apply("gala.yaml", kGala));
  theatre.advance(Duration(1));
  mark_restored(&theatre);
  theatre.restart(seconds(1));
  theatre.advance(seconds(20));
  ASSERT_TRUE(theatre.command(EventCommand{"gala", EventVerb::Rollback}));
  theatre.advance(seconds(20));
  EXPECT_EQ(theatre.actions.effects.size(), 2u);
  EXPECT_TRUE(theatre.actions.effects.contains("gala/r1/s0/do"));
  EXPECT_TRUE(theatre.actions.effects.contains("gala/r1/s0/undo/7f3a1c"));
}

}  // namespace
}  // namespace showcaller::test
