// SPDX-License-Identifier: Apache-2.0
#include "compute/fleet_capacity.h"

#include "tests/compute/fixture.h"

namespace showcaller {
namespace {

FleetView view_of(const FleetFixture& f) {
  return fleet_view(f.world, "raid", f.observe(), f.now);
}

// Forty sessions on the base, the event's build with its minimum of two.
FleetFixture with_forty_sessions(int instances_max = 200) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 40;
  f.fleet.capacity.instances_max = instances_max;
  f.apply_fleet();
  f.put_event("winter", FleetFixture::event_spec());
  f.passes(4);
  f.play("1.0", 40);
  f.passes(2);
  return f;
}

TEST(StageCapacity, WaitsForTheRoomThatTheNextStagesShareTakes) {
  FleetFixture f = with_forty_sessions();
  const auto before =
      stage_capacity(f.world, view_of(f), f.event("winter"), 1, false, f.now);  // 25 % of 40
  EXPECT_TRUE(before.ready) << "nothing more is asked than the planner grants: " << before.detail;
  f.now +=
      hours(2) - minutes(2);  // The next stage may come soon: the planner starts what it takes.
  const auto missing = stage_capacity(f.world, view_of(f), f.event("winter"), 1, false, f.now);
  EXPECT_FALSE(missing.ready);
  EXPECT_EQ(missing.detail, "stage early: build 2.0 has room for 2 of 10 sessions in eu");
  f.passes(4);
  const auto there = stage_capacity(f.world, view_of(f), f.event("winter"), 1, false, f.now);
  EXPECT_TRUE(there.ready) << there.detail;
  EXPECT_EQ(there.detail, "stage early fits: build 2.0 has room for 10 sessions");
}

TEST(StageCapacity, AFullRegionAsksForNoMoreThanItCanGive) {
  FleetFixture f = with_forty_sessions(45);
  f.event("winter").stage = 1;
  f.event("winter").exposure_ppm = 250'000;
  f.now += hours(2) - minutes(2);
  f.passes(4);
  const auto standing = stage_capacity(f.world, view_of(f), f.event("winter"), 2, false, f.now);
  EXPECT_TRUE(standing.ready) << standing.detail;
}

TEST(StageCapacity, AQuarantinedBuildFitsNothing) {
  FleetFixture f = with_forty_sessions();
  f.record(QuarantineSet{QuarantineScope::Build, "raid", "2.0", {}, "it crashes"});
  const auto standing = stage_capacity(f.world, view_of(f), f.event("winter"), 1, false, f.now);
  EXPECT_FALSE(standing.ready);
  EXPECT_EQ(standing.detail, "stage early: build 2.0 is quarantined");
}

TEST(StageCapacity, WhatFittedIsNotTakenBackForAFewSessionsMore) {
  FleetFixture f = with_forty_sessions();
  f.now += hours(2) - minutes(2);
  f.passes(4);
  for (auto& [id, instance] : f.shown) {  // Two of the ten are gone: a fifth.
    if (instance.build == "2.0" && f.hidden.size() < 2) f.hidden.insert(id);
  }
  EXPECT_TRUE(stage_capacity(f.world, view_of(f), f.event("winter"), 1, true, f.now).ready);
  EXPECT_FALSE(stage_capacity(f.world, view_of(f), f.event("winter"), 1, false, f.now).ready);
}

TEST(CapacityCheck, EachOfSeveralFleetsHasItsOwn) {
  LiveEventSpec spec;
  spec.changes = {{BuildChange{"raid", "2.0", {}}, false}};
  EXPECT_EQ(fleets_needed(spec), (std::vector<std::string>{"raid"}));
  EXPECT_EQ(capacity_check(spec, "raid"), "capacity");
  spec.readiness.capacity_headroom_ppm = 100'000;
  spec.readiness.capacity_fleet = "hub";
  EXPECT_EQ(fleets_needed(spec), (std::vector<std::string>{"hub", "raid"}));
  EXPECT_EQ(capacity_check(spec, "hub"), "capacity:hub");
}

}  // namespace
}  // namespace showcaller
