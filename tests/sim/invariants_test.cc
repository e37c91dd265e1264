// SPDX-License-Identifier: Apache-2.0
// What a rehearsal holds sessions and worlds to is seen when it is broken. What it holds the
// journal to has rivals of its own: tests/host/invariants_test.cc.
#include "sim/invariants.h"

#include <gtest/gtest.h>

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

bool tells(const RehearsalInvariants& invariants, std::string_view what) {
  for (const std::string& violation : invariants.violations())
    if (violation.find(what) != std::string::npos) return true;
  return false;
}

TEST(RehearsalInvariants, NoSessionGoesToWhatDrainsOrIsQuarantined) {
  RehearsalInvariants fine, draining, quarantined;
  fine.follow_session(with_instance(InstancePhase::Ready), "raid", "raid-1", "party", {});
  EXPECT_TRUE(fine.violations().empty());
  draining.follow_session(with_instance(InstancePhase::Draining), "raid", "raid-1", "party", {});
  EXPECT_TRUE(tells(draining, "which is draining"));
  World world = with_instance(InstancePhase::Ready);
  world.quarantines[quarantine_key(QuarantineScope::Instance, "raid", "raid-1")] = {};
  quarantined.follow_session(world, "raid", "raid-1", "party", {});
  EXPECT_TRUE(tells(quarantined, "which is quarantined"));
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
