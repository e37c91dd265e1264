// SPDX-License-Identifier: Apache-2.0
// What a rehearsal holds sessions and worlds to is seen when it is broken. What it holds the
// journal to has rivals of its own: tests/host/invariants_test.cc.
#include "sim/invariants.h"

#include <gtest/gtest.h>

#include "flow/memory_ledger.h"

namespace showcaller::sim {
namespace {

Record record(std::uint64_t seq, Payload payload) {
  Record out;
  out.seq = seq;
  out.epoch = 1;
  out.actor = "engine";
  out.payload = std::move(payload);
  return out;
}

World with_instance(InstancePhase phase) {
  World world;
  world.instances["raid/raid-1"] = {"raid", "raid-1", "1.1.0", "eu", "eu", phase, true, {}, {}};
  return world;
}

AllocationRequest request() {
  AllocationRequest out;
  out.session = "s1";
  out.fleet = "raid";
  out.party = "party";
  out.players = {{"ann", {}}};
  return out;
}

Allocation on_raid_1() {
  Allocation out;
  out.fleet = "raid";
  out.instance = "raid-1";
  out.build = "1.1.0";
  out.region = out.host = "eu";
  return out;
}

bool tells(const RehearsalInvariants& invariants, std::string_view what) {
  for (const std::string& violation : invariants.violations())
    if (violation.find(what) != std::string::npos) return true;
  return false;
}

TEST(RehearsalInvariants, NoSessionGoesToWhatDrainsOrIsQuarantined) {
  RehearsalInvariants fine, draining, quarantined;
  fine.follow_session(with_instance(InstancePhase::Ready), request(), on_raid_1());
  EXPECT_TRUE(fine.violations().empty());
  draining.follow_session(with_instance(InstancePhase::Draining), request(), on_raid_1());
  EXPECT_TRUE(tells(draining, "which is draining"));
  World world = with_instance(InstancePhase::Ready);
  world.quarantines[quarantine_key(QuarantineScope::Instance, "raid", "raid-1")] = {};
  quarantined.follow_session(world, request(), on_raid_1());
  EXPECT_TRUE(tells(quarantined, "which is quarantined"));
}

TEST(RehearsalInvariants, NobodyIsLetIntoWhatLetsNobodyIn) {
  RehearsalInvariants invariants;
  Allocation allocation = on_raid_1();
  allocation.arms.push_back({"gala", 1, 1, Arm::Canary, true, false});
  invariants.follow_session(with_instance(InstancePhase::Ready), request(), allocation);
  EXPECT_TRUE(tells(invariants, "which lets nobody in"));
}

TEST(RehearsalInvariants, WhoWasLetInStandsInTheLedger) {
  RehearsalInvariants invariants;
  Allocation allocation = on_raid_1();
  allocation.arms.push_back({"gala", 1, 1, Arm::Canary, true, false});
  invariants.follow_session(with_instance(InstancePhase::Ready), request(), allocation);
  MemoryLedger ledger;
  invariants.compare(&ledger);
  EXPECT_TRUE(tells(invariants, "1 players were let into gala r1, and the ledger knows 0"));
}

TEST(RehearsalInvariants, NoActionHappensTwice) {
  RehearsalInvariants once, twice;
  const ActionEffect done{"gala", 1, 1, StepDirection::Do};
  const ActionEffect undone{"gala", 1, 1, StepDirection::Undo};
  once.check_effects(std::vector{done, undone});
  twice.check_effects(std::vector{done, undone, undone});
  EXPECT_TRUE(once.violations().empty());
  EXPECT_TRUE(tells(twice, "a service did gala r1 step 2 (undo) twice"));
}

TEST(RehearsalInvariants, NoRecordGoesWithThePower) {
  RehearsalInvariants kept, gone, another;
  StoredRecord stored;
  kept.find_again(7, stored.hash, &stored);
  EXPECT_TRUE(kept.violations().empty());
  gone.find_again(7, stored.hash, nullptr);
  EXPECT_TRUE(tells(gone, "record 7 was there, and is gone"));
  another.find_again(7, Sha256{1}, &stored);
  EXPECT_TRUE(tells(another, "record 7 was there, and is another"));
}

TEST(RehearsalInvariants, ReplayThatGivesAnotherWorldIsTold) {
  RehearsalInvariants invariants;
  invariants.follow(record(1, LineStopped{"", "a drill"}));
  World live;
  EXPECT_TRUE(evolve(&live, record(1, LineStopped{"", "a drill"})));
  invariants.compare(live);
  EXPECT_TRUE(invariants.violations().empty());
  live.lines.erase("");
  invariants.compare(live);
  EXPECT_TRUE(tells(invariants, "give another world"));
}

}  // namespace
}  // namespace showcaller::sim
