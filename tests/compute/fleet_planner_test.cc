// SPDX-License-Identifier: Apache-2.0
// Stories of fleets: growth, sick hosts and instances, rollouts and the way back, drivers that lie.
#include <algorithm>

#include "base/random.h"
#include "compute/fleet_capacity.h"
#include "model/revision_trace.h"
#include "tests/compute/fixture.h"

namespace showcaller {
namespace {

using enum InstancePhase;

TEST(FleetPlanner, StartsTheMinimumAndThenSaysNothing) {
  FleetFixture f;
  f.apply_fleet();
  const auto wishes = all_of<InstanceRequested>(f.pass());
  ASSERT_EQ(wishes.size(), 4u);
  EXPECT_EQ(wishes[0].id, "raid-1");
  EXPECT_EQ(wishes[3].id, "raid-4");
  EXPECT_EQ(std::count_if(wishes.begin(), wishes.end(), [](auto& w) { return w.host == "h1"; }), 2);
  f.passes(3);
  EXPECT_EQ(f.count("1.0", Ready), 4);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(f.pass().empty());
  EXPECT_EQ(f.starts, 4);
}

TEST(FleetPlanner, KeepsTheBufferAndRespectsTheMaximum) {
  FleetFixture f;
  f.fleet.capacity.buffer = 3;
  f.fleet.capacity.instances_max = 10;
  f.apply_fleet();
  f.passes(4);
  f.play("1.0", 4);
  f.passes(4);
  EXPECT_EQ(f.count("1.0", Ready), 7);
  f.play("1.0", 3);
  f.passes(4);
  EXPECT_EQ(f.count("1.0", Ready), 10);
  f.play("1.0", 3);
  f.passes(4);
  EXPECT_EQ(f.count("1.0"), 10);
}

TEST(FleetPlanner, ScheduledCapacityIsThereBeforeItsTime) {
  FleetFixture f;
  f.fleet.capacity.schedule = {{f.now + hours(1), f.now + hours(2), 12}};
  f.apply_fleet();
  f.passes(3);
  EXPECT_EQ(f.count("1.0"), 4);
  f.now += minutes(58) + seconds(30);
  f.passes(3);
  EXPECT_EQ(f.count("1.0", Ready), 12);
  f.now += hours(2);
  f.passes(6);
  EXPECT_EQ(f.count("1.0"), 4);
}

TEST(FleetPlanner, SteadyLoadDoesNotMakeInstancesComeAndGo) {
  FleetFixture f;
  f.fleet.capacity.buffer = 6;
  f.apply_fleet();
  f.passes(4);
  Random random(7);
  f.play("1.0", 4);
  f.passes(5);
  for (int i = 0; i < 300; ++i) {  // About twenty in use, three up or down.
    int in_use = 0;
    for (const auto& [id, instance] : f.shown) in_use += instance.state == InstanceState::Allocated;
    const int target = 17 + int(random.below(7));
    if (target > in_use)
      f.play("1.0", std::min(target - in_use, f.count("1.0", Ready) - in_use));
    else
      f.end_sessions("1.0", in_use - target);
    f.pass(seconds(5));
  }
  const int starts = f.starts, stops = f.stops;
  for (int i = 0; i < 300; ++i) {
    f.end_sessions("1.0", 3);
    f.pass(seconds(5));
    f.play("1.0", 3);
    f.pass(seconds(5));
  }
  EXPECT_LE(f.starts - starts, 6);
  EXPECT_LE(f.stops - stops, 6);
}

TEST(FleetPlanner, ScalesDownIdleInstancesAfterAWhileAndNeverCutsASession) {
  FleetFixture f;
  f.fleet.capacity.buffer = 2;
  f.apply_fleet();
  f.passes(3);
  for (int i = 0; i < 10; ++i) {
    f.play("1.0", 2);
    f.passes(3);
  }
  EXPECT_EQ(f.count("1.0", Ready), 22);
  f.end_sessions("1.0", 15);
  f.passes(10);
  EXPECT_EQ(f.stops, 0) << "too soon after growth";
  f.now += minutes(6);
  f.passes(10);
  EXPECT_EQ(f.count("1.0"), 9) << "the bulk first";
  f.now += minutes(30);
  f.passes(10);
  EXPECT_EQ(f.count("1.0"), 7);
  int playing = 0;
  for (const auto& [id, instance] : f.shown) playing += instance.state == InstanceState::Allocated;
  EXPECT_EQ(playing, 5);
}

TEST(FleetPlanner, AFleetOfWhichNothingIsWantedIsEmpty) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.play("1.0", 1);
  f.fleet.capacity.instances_min = 0;
  f.apply_fleet();
  f.passes(6);
  EXPECT_EQ(f.stops, 0) << "a session plays: its players may want another";
  f.end_sessions("1.0");
  f.passes(6);
  EXPECT_EQ(f.count("1.0"), 0) << "and nothing waits for a quiet time";
  f.put_event("winter", FleetFixture::event_spec());
  f.passes(4);
  EXPECT_EQ(f.count("1.0", Ready), 1) << "an event brings players";
}

TEST(FleetPlanner, ASickHostIsNamedWhenBuildsRunElsewhere) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 8;
  f.fleet.health.quarantine_after = 3;
  f.broken["h2"] = "no disk";
  f.apply_fleet();
  f.passes(120);
  ASSERT_NE(f.quarantine(QuarantineScope::Host, "h2"), nullptr);
  EXPECT_EQ(f.world.quarantines.size(), 1u);
  f.world.instances.each([](const std::string&, const Instance& i) { EXPECT_EQ(i.host, "h1"); });
  EXPECT_EQ(f.count("1.0", Ready), 8);
}

TEST(FleetPlanner, AnUnhealthyIdleInstanceIsReplaced) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.shown["raid-2"].state = InstanceState::Unhealthy;
  f.passes(4);
  EXPECT_FALSE(f.world.instances.contains(std::string("raid/raid-2")));
  EXPECT_EQ(f.count("1.0", Ready), 4);
  EXPECT_EQ(f.stops, 1);
}

TEST(FleetPlanner, AnUnhealthySessionMayRecoverAndEndButIsTrustedWithNoOther) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.play("1.0", 1);
  f.shown["raid-1"].state = InstanceState::Unhealthy;
  f.pass();
  EXPECT_NE(f.quarantine(QuarantineScope::Instance, "raid-1"), nullptr);
  f.shown["raid-1"].state = InstanceState::Allocated;
  f.passes(5);
  EXPECT_EQ(f.stops, 0);
  EXPECT_EQ(f.world.instances.find(std::string("raid/raid-1"))->phase, Draining);
  f.end_sessions("1.0");
  f.passes(8);
  EXPECT_FALSE(f.world.instances.contains(std::string("raid/raid-1")));
  EXPECT_EQ(f.world.quarantines.size(), 0u) << "a quarantine does not outlive its instance";
  EXPECT_EQ(f.count("1.0", Ready), 4);
}

TEST(FleetPlanner, AnUnhealthySessionThatDoesNotRecoverIsGivenUp) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.play("1.0", 1);
  f.shown["raid-1"].state = InstanceState::Unhealthy;
  f.passes(10);
  EXPECT_EQ(f.stops, 0);
  f.passes(10);
  EXPECT_EQ(f.stops, 1);
  EXPECT_EQ(f.count("1.0", Ready), 4);
}

TEST(FleetPlanner, AnInstanceToWhichNobodyCameIsReplaced) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.play("1.0", 1);
  f.shown["raid-1"].unclaimed = true;
  const auto moved = all_of<InstanceMoved>(f.pass());
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_EQ(moved[0].to, Stopping);
  EXPECT_EQ(moved[0].reason, "nobody came to session s-raid-1 within 30s");
  f.passes(4);
  EXPECT_EQ(f.stops, 1);
  EXPECT_EQ(f.count("1.0", Ready), 4);
}

TEST(FleetPlanner, AnInstanceOfOneUseEndsWithItsSession) {
  FleetFixture f;
  f.fleet.reuse = false;
  f.apply_fleet();
  f.passes(4);
  f.play("1.0", 1);
  f.pass();
  EXPECT_EQ(f.count("1.0", Ready), 4);
  f.end_sessions("1.0");
  const auto moved = all_of<InstanceMoved>(f.pass());
  ASSERT_FALSE(moved.empty());
  EXPECT_EQ(moved[0].to, Stopping);
  EXPECT_EQ(moved[0].reason, "its session is over, and it is used once");
  f.passes(4);
  EXPECT_EQ(f.count("1.0", Ready), 4) << "and is replaced";
}

TEST(FleetPlanner, GameServersAreToldTheirCountersAndLists) {
  FleetFixture f;
  f.fleet.counters = {{"rooms", 4}};
  f.fleet.lists = {{"players", 16}};
  f.apply_fleet();
  for (const Payload& payload : plan_fleet(f.world, "raid", {}, f.now)) f.record(payload);
  const auto actions = wanted_actions(f.world, "raid", {}, f.now);
  ASSERT_FALSE(actions.empty());
  const auto& spec = std::get<StartInstance>(actions[0]).spec;
  EXPECT_EQ(spec.counters, f.fleet.counters);
  EXPECT_EQ(spec.lists, f.fleet.lists);
}

// ---- rollouts ----

TEST(FleetPlanner, GameServersOfARevisionsBuildGoOnWithItsTrace) {
  FleetFixture f;
  f.apply_fleet();
  f.put_event("winter", FleetFixture::event_spec(), Phase::Preparing, -1).trace =
      std::string(32, 'a');
  for (const Payload& payload : plan_fleet(f.world, "raid", {}, f.now)) f.record(payload);
  int of_the_canary = 0;
  for (const FleetAction& action : wanted_actions(f.world, "raid", {}, f.now)) {
    const auto& spec = std::get<StartInstance>(action).spec;
    const auto trace = spec.env.find("TRACEPARENT");
    EXPECT_EQ(trace != spec.env.end(), spec.build == "2.0") << "the base build is no revision's";
    if (trace == spec.env.end()) continue;
    ++of_the_canary;
    EXPECT_EQ(trace->second, "00-" + std::string(32, 'a') + "-" +
                                 instance_span_id(std::string(32, 'a'), spec.id) + "-01");
  }
  EXPECT_GT(of_the_canary, 0);
}

TEST(FleetPlanner, ACanaryHasItsMinimumAndItsShareWithTheBaseBesideIt) {
  FleetFixture f;
  f.fleet.capacity.buffer = 4;
  f.apply_fleet();
  f.passes(4);
  auto& event = f.put_event("winter", FleetFixture::event_spec(), Phase::Preparing, -1);
  f.passes(4);
  EXPECT_EQ(f.count("2.0", Ready), 2);
  event.phase = Phase::RollingOut;
  event.stage = 0;
  event.exposure_ppm = 50'000;
  event.intake = IntakeState::Open;
  event.stage_since = f.now;
  f.play("1.0", 4);
  f.passes(4);
  EXPECT_EQ(f.count("2.0", Ready), 2);
  EXPECT_EQ(f.count("1.0", Ready), 8);
  auto& later = f.event("winter");
  later.stage = 1;
  later.exposure_ppm = 500'000;
  f.passes(4);
  EXPECT_EQ(f.count("2.0", Ready), 4);
  EXPECT_GE(f.count("1.0", Ready), 6);
}

TEST(FleetPlanner, AStageThatIsAboutToComeFindsItsInstancesReady) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 20;
  f.apply_fleet();
  f.put_event("winter", FleetFixture::event_spec(), Phase::RollingOut, 1);
  f.passes(5);
  EXPECT_EQ(f.count("2.0", Ready), 5);
  f.now += hours(2) - minutes(2);
  f.passes(4);
  EXPECT_EQ(f.count("2.0", Ready), 20);
  EXPECT_EQ(f.count("1.0", Ready), 20);
}

TEST(FleetPlanner, AfterTheRolloutTheOldBuildIsKeptAWhileThenForTheHoldback) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 20;
  f.apply_fleet();
  auto spec = FleetFixture::event_spec();
  spec.watch.keep_previous_build = hours(2);
  spec.watch.holdback_ppm = 100'000;
  f.put_event("winter", spec, Phase::Live, 2);
  f.passes(4);
  EXPECT_EQ(f.count("2.0", Ready), 18);
  EXPECT_EQ(f.count("1.0", Ready), 20);
  f.now += hours(2);
  f.passes(10);
  EXPECT_EQ(f.count("2.0", Ready), 18);
  EXPECT_LE(f.count("1.0"), 3);
  EXPECT_GE(f.count("1.0"), 2);
}

TEST(FleetPlanner, BeforeItsEndTheBuildBelowIsBroughtBack) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 10;
  f.apply_fleet();
  auto spec = FleetFixture::event_spec();
  spec.schedule.end = ScheduledTime{f.now + hours(3), {}};
  f.put_event("winter", spec, Phase::Live, 2);
  f.passes(4);
  f.now += hours(1);
  f.passes(6);
  EXPECT_EQ(f.count("1.0"), 0);
  f.now += hours(2) - minutes(1) - seconds(30);
  f.passes(4);
  EXPECT_EQ(f.count("1.0", Ready), 10);
}

TEST(FleetPlanner, ARollbackDrainsTheCanaryWhileTheBaseReturns) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 6;
  f.apply_fleet();
  auto spec = FleetFixture::event_spec();
  f.put_event("winter", spec, Phase::Live, 2);
  f.passes(8);
  f.now += hours(1);
  f.passes(8);
  ASSERT_EQ(f.count("1.0"), 0);
  ASSERT_EQ(f.count("2.0", Ready), 6);
  f.play("2.0", 3);
  f.passes(3);
  auto& event = f.event("winter");
  event.phase = Phase::RollingBack;
  event.phase_since = f.now;
  event.intake = IntakeState::Closed;
  const auto first = f.pass();
  EXPECT_GE(all_of<InstanceRequested>(first).size(), 6u) << "the base returns in the same pass";
  EXPECT_FALSE(build_is_drained(f.world, "winter", f.observe()));
  f.passes(10);
  EXPECT_GE(f.count("1.0", Ready), 6);
  EXPECT_EQ(f.count("2.0"), 3) << "running matches are not cut";
  EXPECT_EQ(f.count("2.0", Draining), 3);
  f.now += hours(5);
  f.passes(5);
  EXPECT_EQ(f.count("2.0"), 3);
  f.end_sessions("2.0");
  f.passes(6);
  EXPECT_EQ(f.count("2.0"), 0);
  EXPECT_TRUE(build_is_drained(f.world, "winter", f.observe()));
}

TEST(FleetPlanner, WhereTheManifestSaysSoMatchesEndAfterTheDrain) {
  FleetFixture f;
  f.apply_fleet();
  auto spec = FleetFixture::event_spec();
  spec.rollback.drain = minutes(45);
  spec.rollback.then = DrainThen::End;
  f.put_event("winter", spec);
  f.passes(4);
  f.play("2.0", 2);
  f.pass();
  f.event("winter").phase = Phase::RollingBack;
  f.event("winter").phase_since = f.now;
  f.event("winter").intake = IntakeState::Closed;
  f.now += minutes(44);
  f.passes(3);
  EXPECT_EQ(f.count("2.0"), 2);
  f.now += minutes(1);
  f.passes(4);
  EXPECT_EQ(f.count("2.0"), 0);
}

TEST(FleetPlanner, ALayerAboveALiveOneTakesItsShareOfIt) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 20;
  f.apply_fleet();
  f.put_event("autumn", FleetFixture::event_spec("2.0"), Phase::Live, 2);
  auto above = FleetFixture::event_spec("3.0");
  above.priority = 1;
  f.put_event("winter", above, Phase::RollingOut, 1);
  f.passes(4);
  EXPECT_EQ(f.count("3.0", Ready), 5);
  EXPECT_EQ(f.count("2.0", Ready), 20) << "the build below the rollout is kept with the minimum";
  EXPECT_EQ(f.count("1.0"), 0);
}

TEST(FleetPlanner, ARegionAtItsLimitMakesRoomForTheBuildThatIsNeeded) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 10;
  f.fleet.capacity.instances_max = 12;
  f.apply_fleet();
  f.put_event("winter", FleetFixture::event_spec(), Phase::RollingOut, 0);
  f.passes(4);
  EXPECT_EQ(f.count("1.0") + f.count("2.0"), 12);
  auto& event = f.event("winter");
  event.phase = Phase::Live;
  event.stage = 2;
  event.exposure_ppm = kPpmWhole;
  event.phase_since = f.now - hours(1);
  for (int i = 0; i < 30; ++i) {
    f.pass();
    int living = 0;
    for (const auto& [id, instance] : f.shown) living += instance.state != InstanceState::Exited;
    EXPECT_LE(living, 12);
  }
  EXPECT_EQ(f.count("2.0", Ready), 10);
}

// ---- drivers that lie, delay and forget ----

TEST(FleetPlanner, ALivingInstanceIsAdoptedAndItsIdIsNotGivenAgain) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 2;
  f.apply_fleet();
  ObservedInstance stranger;
  stranger.id = "raid-2";
  stranger.fleet = "raid";
  stranger.build = "1.0";
  stranger.region = "eu";
  stranger.host = "h1";
  stranger.state = InstanceState::Allocated;
  stranger.session = "s1";
  stranger.started_at = f.now;
  f.shown[stranger.id] = stranger;
  f.passes(5);
  EXPECT_EQ(f.world.instances.find(std::string("raid/raid-2"))->phase, Ready);
  EXPECT_EQ(f.shown["raid-2"].session, "s1");
  EXPECT_EQ(f.stops, 0);
  EXPECT_EQ(f.count("1.0", Ready), 2);
}

TEST(FleetPlanner, AStrangerOfAnUnknownBuildEndsItsSessionAndGoes) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(3);
  ObservedInstance stranger;
  stranger.id = "old-1";
  stranger.fleet = "raid";
  stranger.build = "0.9";
  stranger.region = "eu";
  stranger.host = "h1";
  stranger.state = InstanceState::Allocated;
  stranger.session = "s1";
  f.shown[stranger.id] = stranger;
  f.passes(3);
  EXPECT_TRUE(f.shown.contains("old-1"));
  f.end_sessions("0.9");
  f.passes(3);
  EXPECT_FALSE(f.shown.contains("old-1"));
}

TEST(FleetPlanner, AForgottenInstanceComesBackAsItWas) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.hidden = {"raid-1", "raid-2"};
  f.passes(5);
  f.hidden.clear();
  f.passes(5);
  EXPECT_EQ(f.count("1.0", Ready), 4);
  EXPECT_EQ(f.starts, 4) << "a moment's forgetting starts nothing";
  f.hidden = {"raid-1"};
  f.passes(30);
  EXPECT_EQ(f.count("1.0", Ready), 4);
  EXPECT_FALSE(f.world.instances.contains(std::string("raid/raid-1")));
  EXPECT_EQ(f.starts, 5);
}

TEST(FleetPlanner, OneThatVanishedAfterReadyAndOneThatNeverCameAreReplaced) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.shown.erase("raid-3");
  f.passes(30);
  EXPECT_EQ(f.count("1.0", Ready), 4);
  // A start that the driver swallows: asked for again and again, then given up as a failure.
  f.fleet.capacity.instances_min = 5;
  f.apply_fleet();
  f.now += seconds(1);
  for (const Payload& payload : plan_fleet(f.world, "raid", f.observe(), f.now)) f.record(payload);
  ASSERT_EQ(f.count("1.0", Wanted), 1);
  EXPECT_EQ(wanted_actions(f.world, "raid", f.observe(), f.now).size(), 1u);
  f.now += f.fleet.health.start_timeout;
  const auto payloads = plan_fleet(f.world, "raid", f.observe(), f.now);
  EXPECT_EQ(all_of<StartsDelayed>(payloads).size(), 1u);
  ASSERT_EQ(all_of<InstanceMoved>(payloads).size(), 1u);
  EXPECT_EQ(all_of<InstanceMoved>(payloads)[0].to, Gone);
}

TEST(FleetPlanner, AnInstanceThatNeverGetsReadyIsStopped) {
  FleetFixture f;
  f.fleet.capacity.instances_min = 1;
  f.apply_fleet();
  f.pass();
  f.now += seconds(1);
  for (const FleetAction& action : wanted_actions(f.world, "raid", f.observe(), f.now))
    f.act(action);
  EXPECT_TRUE(plan_fleet(f.world, "raid", f.observe(), f.now).empty());
  f.now += f.fleet.health.start_timeout + seconds(1);
  const auto payloads = plan_fleet(f.world, "raid", f.observe(), f.now);
  const auto moves = all_of<InstanceMoved>(payloads);
  ASSERT_EQ(moves.size(), 1u);
  EXPECT_EQ(moves[0].to, Stopping);
  EXPECT_EQ(all_of<StartsDelayed>(payloads).size(), 1u);
}

// Whatever the driver does meanwhile, when it behaves again the fleet is what it should be, and
// then is quiet.
TEST(FleetPlanner, ConvergesAfterAnyMisbehaviour) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    FleetFixture f;
    f.fleet.capacity.buffer = 1;
    f.fleet.health.quarantine_after = 1000;
    f.apply_fleet();
    f.put_event("winter", FleetFixture::event_spec(), Phase::RollingOut, 1);
    for (int step = 0; step < 150; ++step) {
      for (auto at = f.shown.begin(); at != f.shown.end();) {
        const auto roll = random.below(100);
        ObservedInstance& instance = at->second;
        if (roll < 2) {
          at = f.shown.erase(at);
          continue;
        }
        if (roll < 4 && instance.state != InstanceState::Exited) {
          instance.state = InstanceState::Exited;
          instance.exit = InstanceExit{.code = 0, .signal = 11, .wanted = false};
        } else if (roll < 6 && instance.state == InstanceState::Ready) {
          instance.state = InstanceState::Unhealthy;
        } else if (roll < 8) {
          f.hidden.insert(at->first);
        } else if (roll < 20) {
          f.hidden.erase(at->first);
        } else if (roll < 24 && instance.state == InstanceState::Ready) {
          instance.state = InstanceState::Allocated;
          instance.session = "s";
        } else if (roll < 30 && instance.state == InstanceState::Allocated) {
          instance.state = InstanceState::Ready;
          instance.session.reset();
        }
        ++at;
      }
      f.pass(seconds(3));
    }
    f.hidden.clear();
    f.end_sessions("1.0");
    f.end_sessions("2.0");
    f.passes(30, seconds(30));
    f.passes(30, seconds(60));
    const auto view = fleet_view(f.world, "raid", f.observe(), f.now);
    for (const BuildCounts& row : view.rows) {
      EXPECT_GE(row.ready, row.desired) << row.build;
      EXPECT_LE(row.ready, row.desired + std::max(1, row.desired / 10)) << row.build;
      EXPECT_EQ(row.starting + row.draining + row.unhealthy, 0) << row.build;
    }
    EXPECT_EQ(std::size_t(view.total().ready), f.shown.size());
    EXPECT_TRUE(f.pass().empty());
  }
}

TEST(FleetPlanner, AnIdleDriverFolderIsForgotten) {
  FleetFixture f;
  f.apply_fleet();
  f.passes(4);
  f.shown["raid-1"].state = InstanceState::Exited;
  f.shown["raid-1"].exit = InstanceExit{.code = 0, .signal = 9, .wanted = false};
  const auto payloads = f.pass();
  const auto moves = all_of<InstanceMoved>(payloads);
  ASSERT_EQ(moves.size(), 1u);
  EXPECT_EQ(moves[0].signal, 9);
  EXPECT_FALSE(moves[0].exit_code);
  f.passes(2);
  EXPECT_FALSE(f.shown.contains("raid-1"));
}

TEST(FleetView, CountsAndHeadroom) {
  FleetFixture f;
  f.fleet.capacity.buffer = 2;
  f.apply_fleet();
  f.passes(4);
  f.play("1.0", 2);
  f.passes(1);
  const auto view = fleet_view(f.world, "raid", f.observe());
  const BuildCounts* row = view.find("1.0", "eu");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->ready, 2);
  EXPECT_EQ(row->allocated, 2);
  EXPECT_EQ(row->desired, 4);
  EXPECT_EQ(row->sessions, 2);
  EXPECT_EQ(view.headroom_ppm("1.0"), kPpmWhole);
  auto spec = FleetFixture::event_spec();
  spec.readiness.capacity_headroom_ppm = 300'000;
  const auto& event = f.put_event("winter", spec, Phase::Preparing, -1);
  EXPECT_FALSE(capacity_standing(f.world, view, event, f.now).ready);
  f.passes(4);
  EXPECT_TRUE(
      capacity_standing(f.world, fleet_view(f.world, "raid", f.observe()), event, f.now).ready);
}

TEST(FleetPlanner, AThousandEventsAndAHundredThousandInstancesInOnePass) {
  FleetFixture f;
  f.fleet.capacity.instances_max = 100'000;
  f.fleet.capacity.instances_min = 4;
  std::vector<std::vector<ObservedInstance>> shown(10);
  for (int fleet = 0; fleet < 10; ++fleet) {
    const std::string name = "fleet-" + std::to_string(fleet);
    f.apply_fleet(name);
    for (int i = 0; i < 10'000; ++i) {
      ObservedInstance seen;
      seen.id = name + "-" + std::to_string(i);
      seen.fleet = name;
      seen.build = "1.0";
      seen.region = "eu";
      seen.host = i % 2 ? "h1" : "h2";
      seen.state = i % 3 ? InstanceState::Allocated : InstanceState::Ready;
      if (i % 3) seen.session = "s" + std::to_string(i);
      f.world.instances[instance_key(name, seen.id)] = {name,  seen.id, "1.0", "eu", seen.host,
                                                        Ready, true,    f.now, {}};
      shown[std::size_t(fleet)].push_back(std::move(seen));
    }
  }
  for (int i = 0; i < 1000; ++i) {
    f.put_event("event-" + std::to_string(i),
                FleetFixture::event_spec("2.0", "fleet-" + std::to_string(i % 10)),
                i < 10 ? Phase::RollingOut : Phase::Approved, i < 10 ? 0 : -1);
  }
  const auto start = std::chrono::steady_clock::now();
  for (int fleet = 0; fleet < 10; ++fleet) {
    const std::string name = "fleet-" + std::to_string(fleet);
    (void)plan_fleet(f.world, name, shown[std::size_t(fleet)], f.now);
    (void)wanted_actions(f.world, name, shown[std::size_t(fleet)], f.now);
  }
  const auto took = std::chrono::steady_clock::now() - start;
  RecordProperty("milliseconds",
                 int(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, std::chrono::seconds(1));
}

}  // namespace
}  // namespace showcaller
