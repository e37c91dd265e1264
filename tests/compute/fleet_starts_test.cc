// SPDX-License-Identifier: Apache-2.0
// Stories of starts that fail: back-off, the culprit and its quarantine, and what is no failed
// start.
#include "compute/fleet_capacity.h"
#include "tests/compute/fixture.h"

namespace showcaller {
namespace {

using enum InstancePhase;

TEST(FleetStarts, AFailingBuildBacksOffAndIsThenNamed) {
  FleetFixture f;
  f.fleet.health.quarantine_after = 5;
  f.apply_fleet();
  f.passes(4);
  f.broken["2.0"] = "exits with 1";
  f.put_event("winter", FleetFixture::event_spec());
  std::vector<StartsDelayed> delays;
  for (int i = 0; i < 300 && !f.quarantine(QuarantineScope::Build, "2.0"); ++i) {
    for (const auto& delay : all_of<StartsDelayed>(f.pass())) delays.push_back(delay);
  }
  const Quarantine* quarantine = f.quarantine(QuarantineScope::Build, "2.0");
  ASSERT_NE(quarantine, nullptr);
  EXPECT_NE(quarantine->reason.find("build 2.0"), std::string::npos) << quarantine->reason;
  EXPECT_EQ(quarantine->until, f.now + f.fleet.health.quarantine_for);
  EXPECT_EQ(f.world.quarantines.size(), 1u) << "only the culprit is isolated";
  ASSERT_GE(delays.size(), 4u);
  EXPECT_EQ(delays.front().failures, 1);
  // Nothing of it starts while it is isolated; the base is untouched.
  const int starts = f.starts;
  f.passes(50);
  EXPECT_EQ(f.starts, starts);
  EXPECT_EQ(f.count("1.0", Ready), 4);
  EXPECT_EQ(f.count("2.0"), 0);
  // When its time is over it gets another chance, its failures forgiven.
  f.broken.clear();
  f.now += f.fleet.health.quarantine_for;
  f.passes(5);
  EXPECT_EQ(f.world.quarantines.size(), 0u);
  EXPECT_EQ(f.count("2.0", Ready), 2);
}

TEST(FleetStarts, BackOffDoublesUpToItsMost) {
  FleetFixture f;
  f.fleet.regions = {{"eu", "UTC", {"h1"}}};
  f.fleet.capacity.instances_min = 1;
  f.fleet.health.quarantine_after = 100;
  f.fleet.health.backoff_max = seconds(10);
  f.apply_fleet();
  f.broken["1.0"] = "exits";
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 200 && waits.size() < 7; ++i) {
    for (const auto& delay : all_of<StartsDelayed>(f.pass()))
      waits.push_back((delay.until - f.now).count() / 1000);
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1, 2, 4, 8, 10, 10, 10}));
}

// Without an event no gate watches a fleet: a build that crashes once it is ready was started again
// at once, for ever.
TEST(FleetStarts, ABuildThatEndsOnceItIsReadyBacksOffAndIsNamed) {
  FleetFixture f;
  f.apply_fleet();
  f.fleeting = {"1.0"};
  int passes = 0;
  while (passes < 300 && !f.quarantine(QuarantineScope::Build, "1.0")) {
    f.pass();
    ++passes;
  }
  const Quarantine* quarantine = f.quarantine(QuarantineScope::Build, "1.0");
  ASSERT_NE(quarantine, nullptr);
  EXPECT_NE(quarantine->reason.find("build 1.0"), std::string::npos) << quarantine->reason;
  EXPECT_LE(f.starts, 12);
  const int starts = f.starts;
  f.passes(100);
  EXPECT_EQ(f.starts, starts);
}

TEST(FleetStarts, BackOffGoesOnUntilAStartHasLasted) {
  FleetFixture f;
  f.fleet.regions = {{"eu", "UTC", {"h1"}}};
  f.fleet.capacity.instances_min = 1;
  f.fleet.health.quarantine_after = 100;
  f.apply_fleet();
  f.fleeting = {"1.0"};
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 200 && waits.size() < 4; ++i) {
    for (const auto& delay : all_of<StartsDelayed>(f.pass()))
      waits.push_back((delay.until - f.now).count() / 1000);
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1, 2, 4, 8})) << "being ready ends no back-off";
  f.fleeting.clear();
  f.passes(30);
  EXPECT_EQ(f.count("1.0", Ready), 1);
  EXPECT_EQ(f.world.fleets.find(std::string("raid"))->delays.size(), 1u);
  f.passes(50);
  EXPECT_TRUE(f.world.fleets.find(std::string("raid"))->delays.empty());
  EXPECT_TRUE(f.pass().empty());
}

TEST(FleetStarts, AFewThatEndEarlyAmongManyBlameNoBuild) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 40;
  f.apply_fleet();
  f.passes(3);
  for (int i = 1; i <= 8; ++i) {
    f.shown["raid-" + std::to_string(i)].state = InstanceState::Exited;
    f.shown["raid-" + std::to_string(i)].exit = InstanceExit{.signal = 6};
  }
  f.pass();
  EXPECT_EQ(f.world.quarantines.size(), 0u);
  f.passes(20);
  EXPECT_EQ(f.count("1.0", Ready), 40);
}

TEST(FleetStarts, ACrashWithASessionIsForGatesToJudge) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(3);
  f.play("1.0", 1);
  f.shown["raid-1"].state = InstanceState::Exited;
  f.shown["raid-1"].exit = InstanceExit{.signal = 6};
  f.shown["raid-2"].sessions_ended = 1;
  f.shown["raid-2"].state = InstanceState::Exited;
  f.shown["raid-2"].exit = InstanceExit{.signal = 6};
  EXPECT_TRUE(all_of<StartsDelayed>(f.pass()).empty());
}

TEST(FleetStarts, ACrashAfterALongLifeIsNoFailedStart) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.now += minutes(2);
  f.fleeting = {"1.0"};
  EXPECT_TRUE(all_of<StartsDelayed>(f.pass()).empty());
}

TEST(FleetStarts, WhoAsksToEndBeforeItWasReadyHasFailedItsStartHoweverFastItEnds) {
  FleetFixture f;
  f.apply_fleet();
  f.pass();
  f.pass();
  f.shown["raid-1"].state = InstanceState::Exited;
  f.shown["raid-1"].exit = InstanceExit{.code = 0, .wanted = true};
  const auto delays = all_of<StartsDelayed>(f.pass());
  ASSERT_EQ(delays.size(), 1u);
  EXPECT_EQ(delays[0].failures, 1);
}

TEST(FleetStarts, OneThatNeverSaysItIsWellHasFailedItsStart) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.shown["raid-1"].state = InstanceState::Unhealthy;
  EXPECT_EQ(all_of<StartsDelayed>(f.pass()).size(), 1u);
}

}  // namespace
}  // namespace showcaller
