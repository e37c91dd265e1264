// SPDX-License-Identifier: Apache-2.0
// Rules and laws of allocation: parties whole, protocols never crossed, nothing on what is
// withheld, one answer a session, exact shares, and a canary that is full is not silently the
// baseline.
#include "compute/allocator.h"

#include <cmath>
#include <set>

#include "base/random.h"
#include "compute/assignment.h"
#include "tests/compute/allocator_fixture.h"

namespace showcaller {
namespace {

TEST(Allocator, GivesAnInstanceOnceAndTheSameAnswerAgain) {
  AllocatorFixture f;
  f.add("1.0", 2);
  f.publish();
  f.look();
  const auto first = f.allocator.allocate(f.ask("s1"), f.now);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->build, "1.0");
  EXPECT_FALSE(first->repeated);
  const auto again = f.allocator.allocate(f.ask("s1"), f.now + seconds(5));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->instance, first->instance);
  const auto other = f.allocator.allocate(f.ask("s2"), f.now);
  ASSERT_TRUE(other);
  EXPECT_NE(other->instance, first->instance);
  const auto full = f.allocator.allocate(f.ask("s3"), f.now);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::Unavailable);
  const auto conflict = f.allocator.allocate(f.ask("s1", {"bob"}), f.now);
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, ErrorCode::Conflict);
}

TEST(Allocator, AnInstanceOfOneUseTakesNoSecondSession) {
  AllocatorFixture f;
  f.fleet.reuse = false;
  f.apply_fleet();
  f.add("1.0", 1);
  f.publish();
  f.look();
  const auto first = f.allocator.allocate(f.ask("s1"), f.now);
  ASSERT_TRUE(first);
  f.serve(*first);
  f.look();
  f.end_sessions("1.0");
  f.look();
  EXPECT_EQ(f.allocator.allocate(f.ask("s2"), f.now).error().code, ErrorCode::Unavailable);
  f.fleet.reuse = true;
  f.apply_fleet();
  f.publish();
  EXPECT_TRUE(f.allocator.allocate(f.ask("s2"), f.now));
}

TEST(Allocator, RefusesWhatIsWrong) {
  AllocatorFixture f;
  f.add("1.0", 1);
  auto request = f.ask("s1");
  EXPECT_EQ(f.allocator.allocate(request, f.now).error().code, ErrorCode::Unavailable)
      << "no plan yet";
  f.publish();
  f.look();
  request.region = "mars";
  EXPECT_EQ(f.allocator.allocate(request, f.now).error().code, ErrorCode::Invalid);
  request = f.ask("");
  EXPECT_EQ(f.allocator.allocate(request, f.now).error().code, ErrorCode::Invalid);
  request = f.ask("s1", {});
  EXPECT_EQ(f.allocator.allocate(request, f.now).error().code, ErrorCode::Invalid);
  request = f.ask("s1");
  request.fleet = "nope";
  EXPECT_EQ(f.allocator.allocate(request, f.now).error().code, ErrorCode::NotFound);
}

TEST(Allocator, SessionsSpreadOverTheInstancesOfABuild) {
  AllocatorFixture f;
  f.add("1.0", 4);
  f.publish();
  f.look();
  std::map<std::string, int> given;
  for (int i = 0; i < 40; ++i) {
    const auto allocation = f.allocator.allocate(f.ask("s" + std::to_string(i)), f.now);
    ASSERT_TRUE(allocation);
    ++given[allocation->instance];
    f.serve(*allocation);
    f.look();
    f.end_sessions("1.0");
    f.look();
  }
  ASSERT_EQ(given.size(), 4u);
  for (const auto& [id, count] : given) EXPECT_EQ(count, 10) << id;
}

TEST(Allocator, ASessionEndsWhenItsInstanceIsReadyAgain) {
  AllocatorFixture f;
  f.add("1.0", 1);
  f.publish();
  f.look();
  const auto first = f.allocator.allocate(f.ask("s1"), f.now);
  ASSERT_TRUE(first);
  f.look();  // Not told yet: still ready, and still given away.
  EXPECT_FALSE(f.allocator.allocate(f.ask("s2"), f.now));
  f.serve(*first);
  f.look();
  EXPECT_FALSE(f.allocator.allocate(f.ask("s2"), f.now));
  f.end_sessions("1.0");
  f.look();
  EXPECT_TRUE(f.allocator.allocate(f.ask("s2"), f.now));
  EXPECT_TRUE(f.allocator.allocate(f.ask("s1"), f.now)->repeated)
      << "the old answer is kept for a while";
  f.allocator.expire(f.now + minutes(11));
  EXPECT_EQ(f.allocator.sessions(), 0u);
}

TEST(Allocator, ASessionThatCameAndWentBetweenTwoLooksHasEnded) {
  AllocatorFixture f;
  f.add("1.0", 1);
  f.publish();
  f.look();
  ASSERT_TRUE(f.allocator.allocate(f.ask("s1"), f.now));
  f.shown.begin()->second.sessions_ended = 1;
  f.look();
  EXPECT_TRUE(f.allocator.allocate(f.ask("s2"), f.now));
}

TEST(Allocator, WhoIsRefusedOrSpilledWasDrawnAllTheSame) {
  for (const bool paced : {true, false}) {
    AllocatorFixture f;
    f.roll_out(500'000).pace_per_minute = paced ? 1 : 0;
    f.add("1.0", 400);
    f.add("2.0", paced ? 400 : 0);  // a canary that is too slow, or none
    f.publish();
    f.look();
    std::vector<ArmAssignment> drawn;
    int on_canary = 0;
    for (int i = 0; i < 400; ++i) {
      const auto made = f.allocator.allocate(f.ask(fmt::format("s{}", i), {fmt::format("p{}", i)}),
                                             f.now, &drawn);
      on_canary += made && made->build == "2.0";
      ASSERT_EQ(drawn.size(), 1u);
      EXPECT_TRUE(drawn[0].counted);
      f.now += Duration(1);
      if (drawn[0].arm == Arm::Canary) ++f.serial["drawn"];
      drawn.clear();
    }
    EXPECT_LE(on_canary, 1);
    EXPECT_NEAR(f.serial["drawn"], 200, 40);
  }
}

TEST(Allocator, NothingGoesToWhatIsWithheld) {
  struct Case {
    const char* name;
    void (*spoil)(AllocatorFixture&);
  };
  const Case cases[] = {
      {"draining",
       [](AllocatorFixture& f) {
         f.world.instances["raid/i1-eu-1"].phase = InstancePhase::Draining;
       }},
      {"stopping",
       [](AllocatorFixture& f) {
         f.world.instances["raid/i1-eu-1"].phase = InstancePhase::Stopping;
       }},
      {"unhealthy",
       [](AllocatorFixture& f) {
         f.world.instances["raid/i1-eu-1"].phase = InstancePhase::Unhealthy;
       }},
      {"seen unhealthy",
       [](AllocatorFixture& f) { f.shown["i1-eu-1"].state = InstanceState::Unhealthy; }},
      {"seen shutting down",
       [](AllocatorFixture& f) { f.shown["i1-eu-1"].state = InstanceState::Shutdown; }},
      {"seen reserved",
       [](AllocatorFixture& f) { f.shown["i1-eu-1"].state = InstanceState::Reserved; }},
      {"exited", [](AllocatorFixture& f) { f.shown["i1-eu-1"].state = InstanceState::Exited; }},
      {"not shown", [](AllocatorFixture& f) { f.hidden.insert("i1-eu-1"); }},
      {"instance quarantined",
       [](AllocatorFixture& f) {
         f.record(QuarantineSet{QuarantineScope::Instance, "raid", "i1-eu-1", {}, "test"});
       }},
      {"build quarantined",
       [](AllocatorFixture& f) {
         f.record(QuarantineSet{QuarantineScope::Build, "raid", "1.0", {}, "test"});
       }},
      {"host quarantined",
       [](AllocatorFixture& f) {
         f.record(QuarantineSet{QuarantineScope::Host, "raid", "h1", {}, "test"});
       }},
      {"region quarantined",
       [](AllocatorFixture& f) {
         f.record(QuarantineSet{QuarantineScope::Region, "raid", "eu", {}, "test"});
       }},
      {"build on that host quarantined",
       [](AllocatorFixture& f) {
         f.record(QuarantineSet{QuarantineScope::Build, "raid", "1.0@h1", {}, "test"});
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    AllocatorFixture f;
    f.add("1.0", 1);
    f.publish();
    f.look();
    c.spoil(f);
    f.publish();
    f.look();
    EXPECT_FALSE(f.allocator.allocate(f.ask("s1"), f.now));
  }
}

TEST(Allocator, APublishedPlanTakesEffectAtOnce) {
  AllocatorFixture f;
  f.add("1.0", 50);
  f.add("2.0", 50);
  auto& event = f.roll_out(kPpmWhole);
  f.publish();
  f.look();
  EXPECT_EQ(f.allocator.allocate(f.ask("s1"), f.now)->build, "2.0");
  event.intake = IntakeState::Closed;
  f.publish();
  EXPECT_EQ(f.allocator.allocate(f.ask("s2"), f.now)->build, "1.0");
  EXPECT_EQ(f.allocator.allocate(f.ask("s1"), f.now)->build, "2.0") << "who is in stays in";
  // An older plan is no news.
  event.intake = IntakeState::Open;
  AllocationPlan old = make_allocation_plan(f.world, [](const std::string&) { return "s"; });
  old.seq = 1;
  f.allocator.publish(std::make_shared<const AllocationPlan>(std::move(old)));
  EXPECT_EQ(f.allocator.allocate(f.ask("s3"), f.now)->build, "1.0");
}

TEST(Allocator, ProtocolsAreNeverCrossed) {
  AllocatorFixture f;
  f.fleet.builds[0].protocols = {47};
  f.fleet.builds[1].protocols = {47, 48};
  f.apply_fleet();
  f.add("1.0", 20);
  f.add("2.0", 20);
  auto& event = f.roll_out(kPpmWhole);
  f.publish();
  f.look();
  auto request = f.ask("s1");
  request.protocol = 48;
  EXPECT_EQ(f.allocator.allocate(request, f.now)->build, "2.0");
  event.exposure_ppm = 0;
  f.publish();
  request = f.ask("s2");
  request.protocol = 48;
  const auto refused = f.allocator.allocate(request, f.now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
  EXPECT_NE(refused.error().message.find("protocol 48"), std::string::npos);
  // A canary that has dropped the old protocol leaves old clients on the baseline, and out of the
  // sample.
  auto spec = f.event_spec();
  std::get<BuildChange>(spec.changes[0].what).protocols = {48};
  auto& narrow = f.put_event("winter", spec, Phase::RollingOut, 2);
  narrow.visit = 2;
  f.publish();
  request = f.ask("s3");
  request.protocol = 47;
  const auto old_client = f.allocator.allocate(request, f.now);
  ASSERT_TRUE(old_client);
  EXPECT_EQ(old_client->build, "1.0");
  EXPECT_TRUE(old_client->arms.empty());
}

TEST(Allocator, APartyIsAsEligibleAsItsWeakestMember) {
  AllocatorFixture f;
  f.add("1.0", 50);
  f.add("2.0", 50);
  auto spec = f.event_spec();
  spec.unit = Unit::Party;
  spec.stages[0].audience =
      json::value{{"==", json::array{json::value{{"var", "group"}}, "staff"}}};
  spec.stages[0].exposure_ppm = kPpmWhole;
  f.put_event("winter", spec, Phase::RollingOut, 0).exposure_ppm = kPpmWhole;
  f.publish();
  f.look();
  auto request = f.ask("s1", {"ann", "bob"});
  request.players[0].context = {{"group", "staff"}};
  request.players[1].context = {{"group", "staff"}};
  EXPECT_EQ(f.allocator.allocate(request, f.now)->build, "2.0");
  request.session = "s2";
  request.players[1].context = {{"group", "player"}};
  EXPECT_EQ(f.allocator.allocate(request, f.now)->build, "1.0");
}

// Units keep their arm, exposure only adds to the canary, the way back is the way there, and the
// share is exact.
TEST(Allocator, SharesAreExactStickyAndMonotone) {
  AllocatorFixture f;
  f.add("1.0", 6000);
  f.add("2.0", 6000);
  auto& event = f.roll_out(0, Unit::Party);
  std::map<std::int64_t, std::set<int>> canary;
  int serial = 0;
  const auto run = [&](std::int64_t ppm) {
    event.exposure_ppm = ppm;
    ++event.visit;
    f.publish();
    f.look();
    std::set<int> in;
    for (int party = 0; party < 5000; ++party) {
      auto request = f.ask("s" + std::to_string(++serial), {"a" + std::to_string(party), "b"});
      request.party = "party-" + std::to_string(party);
      const auto given = f.allocator.allocate(request, f.now);
      EXPECT_TRUE(given) << given.error().message;
      if (given && given->build == "2.0") in.insert(party);
      f.allocator.release(request.session, f.now);
    }
    const auto totals = f.allocator.take_totals();
    EXPECT_EQ(totals.size(), 1u);
    EXPECT_EQ(totals.back().canary, std::int64_t(in.size()));
    EXPECT_EQ(totals.back().canary + totals.back().baseline, 5000);
    return in;
  };
  std::set<int> before;
  for (const std::int64_t ppm : {10'000, 50'000, 250'000, 1'000'000}) {
    const auto in = run(ppm);
    EXPECT_TRUE(std::includes(in.begin(), in.end(), before.begin(), before.end()));
    const double p = double(ppm) / 1e6;
    EXPECT_NEAR(double(in.size()) / 5000, p, 4.5 * std::sqrt(p * (1 - p) / 5000) + 1e-9);
    canary[ppm] = before = in;
  }
  for (const std::int64_t ppm : {250'000, 50'000, 10'000}) EXPECT_EQ(run(ppm), canary[ppm]);
}

TEST(Allocator, AFullCanaryIsWaitedForThenSpilledAndSaidSo) {
  AllocatorFixture f;
  f.add("1.0", 10);
  f.add("2.0", 1);
  f.roll_out(kPpmWhole);
  f.publish();
  f.look();
  ASSERT_TRUE(f.allocator.allocate(f.ask("s1"), f.now));
  EXPECT_EQ(f.allocator.allocate(f.ask("s2"), f.now).error().code, ErrorCode::Unavailable);
  f.now += seconds(14);
  EXPECT_FALSE(f.allocator.allocate(f.ask("s2"), f.now));
  f.now += seconds(1);
  const auto spilled = f.allocator.allocate(f.ask("s2"), f.now);
  ASSERT_TRUE(spilled);
  EXPECT_EQ(spilled->build, "1.0");
  ASSERT_EQ(spilled->arms.size(), 1u);
  EXPECT_TRUE(spilled->arms[0].spilled);
  EXPECT_FALSE(spilled->arms[0].counted);
  const auto totals = f.allocator.take_totals();
  ASSERT_EQ(totals.size(), 1u);
  EXPECT_EQ(totals[0], (StageTotals{"winter", 1, 1, 1, 0, 1, 2}));
  EXPECT_TRUE(f.allocator.take_totals().empty()) << "nothing changed since";
}

TEST(Allocator, ACanaryThatCannotServeKeepsNobodyFromPlaying) {
  AllocatorFixture f;
  f.add("1.0", 10);
  f.add("2.0", 3);
  f.roll_out(kPpmWhole);
  f.record(QuarantineSet{QuarantineScope::Build, "raid", "2.0", {}, "test"});
  f.publish();
  f.look();
  const auto given = f.allocator.allocate(f.ask("s1"), f.now);
  ASSERT_TRUE(given);
  EXPECT_EQ(given->build, "1.0");
  EXPECT_TRUE(given->arms.at(0).spilled);
}

TEST(Allocator, PaceHoldsBackOnlyTheCanary) {
  AllocatorFixture f;
  f.add("1.0", 300);
  f.add("2.0", 300);
  auto& event = f.roll_out(500'000);
  event.pace_per_minute = 60;
  f.publish();
  f.look();
  int canary = 0, baseline = 0, refused = 0;
  for (int i = 0; i < 200; ++i) {
    const auto given =
        f.allocator.allocate(f.ask("s" + std::to_string(i), {"p" + std::to_string(i)}), f.now);
    if (!given)
      ++refused;
    else
      ++(given->build == "2.0" ? canary : baseline);
  }
  EXPECT_EQ(canary, 10) << "ten seconds' worth at once";
  EXPECT_EQ(refused + baseline, 190);
  EXPECT_GT(baseline, 70);
  for (int second = 0; second < 30; ++second) {
    f.now += seconds(1);
    for (int i = 0; i < 200; ++i) {
      (void)f.allocator.allocate(f.ask("s" + std::to_string(i), {"p" + std::to_string(i)}), f.now);
    }
  }
  const auto totals = f.allocator.take_totals();
  ASSERT_EQ(totals.size(), 1u);
  EXPECT_EQ(totals[0].canary, 40) << "and one a second then";
}

TEST(Allocator, TheNearestRegionThenTheNextWithoutChangingTheArm) {
  AllocatorFixture f;
  f.fleet.regions = {{"eu", "UTC", {}}, {"us", "UTC", {}}, {"ap", "UTC", {}}};
  f.apply_fleet();
  f.add("1.0", "eu");
  f.add("1.0", "us");
  f.add("1.0", "ap");
  auto spec = f.event_spec();
  spec.stages[0].regions = {"us"};
  f.put_event("winter", spec, Phase::RollingOut, 0).exposure_ppm = kPpmWhole;
  f.publish();
  f.look();
  auto request = f.ask("s1");
  request.region.clear();
  request.latency_ms = {{"ap", 90}, {"eu", 20}, {"us", 60}};
  EXPECT_EQ(f.allocator.allocate(request, f.now)->region, "eu");
  request.session = "s2";
  EXPECT_EQ(f.allocator.allocate(request, f.now)->region, "ap") << "in us it would be another arm";
  request.session = "s3";
  EXPECT_FALSE(f.allocator.allocate(request, f.now));
}

TEST(Allocator, SeveralSessionsShareAnInstance) {
  AllocatorFixture f;
  f.fleet.builds[0].sessions_per_instance = 3;
  f.apply_fleet();
  f.add("1.0", 2);
  f.publish();
  f.look();
  std::map<std::string, int> used;
  std::vector<Allocation> given;
  for (int i = 0; i < 6; ++i) {
    const auto allocation = f.allocator.allocate(f.ask("s" + std::to_string(i)), f.now);
    ASSERT_TRUE(allocation);
    ++used[allocation->instance];
    f.serve(*allocation);
    f.look();
    given.push_back(*allocation);
  }
  EXPECT_EQ(used.size(), 2u);
  EXPECT_FALSE(f.allocator.allocate(f.ask("s6"), f.now));
  EXPECT_TRUE(f.allocator.release("s2", f.now));
  EXPECT_TRUE(f.allocator.allocate(f.ask("s7"), f.now));
  f.world.instances["raid/" + given[0].instance].phase = InstancePhase::Draining;
  f.world.instances["raid/" + given[5].instance].phase = InstancePhase::Draining;
  f.publish();
  f.allocator.release("s0", f.now);
  f.look();
  EXPECT_FALSE(f.allocator.allocate(f.ask("s8"), f.now)) << "a draining match is not filled up";
}

// Its game server goes on showing the sessions that were released, and was taken for one that runs
// somebody else's.
TEST(Allocator, AnInstanceWhoseSessionsWereAllReleasedTakesTheNext) {
  AllocatorFixture f;
  f.fleet.builds[0].sessions_per_instance = 3;
  f.apply_fleet();
  f.add("1.0", 1);
  f.publish();
  f.look();
  for (const std::string session : {"s0", "s1"}) {
    const auto given = f.allocator.allocate(f.ask(session), f.now);
    ASSERT_TRUE(given);
    f.serve(*given);
    f.look();
  }
  EXPECT_TRUE(f.allocator.release("s0", f.now));
  EXPECT_TRUE(f.allocator.release("s1", f.now));
  f.now += hours(24);  // They are forgotten here, not there.
  f.allocator.expire(f.now);
  f.look();
  const auto next = f.allocator.allocate(f.ask("s2"), f.now);
  ASSERT_TRUE(next);
  EXPECT_EQ(f.allocator.neighbours(*next).over, std::vector<std::string>{"s1"});
  f.look();  // The driver was not quick enough.
  EXPECT_TRUE(f.allocator.allocate(f.ask("s2"), f.now)->repeated);
  f.serve(*next);
  f.look();
  EXPECT_TRUE(f.allocator.allocate(f.ask("s2"), f.now)->repeated);
}

TEST(Allocator, ARestartedAllocatorKnowsWhoPlaysWhere) {
  AllocatorFixture f;
  f.add("1.0", 3);
  f.add("2.0", 3);
  f.roll_out(kPpmWhole);
  f.publish();
  f.look();
  auto request = f.ask("s1", {"ann", "bob"});
  request.party = "p1";
  const auto before = f.allocator.allocate(request, f.now);
  ASSERT_TRUE(before);
  f.serve(*before);
  Allocator fresh;
  fresh.publish(std::make_shared<const AllocationPlan>(
      make_allocation_plan(f.world, [](const std::string& event) { return "salt of " + event; })));
  fresh.observe("raid", f.observe(), f.now);
  const auto after = fresh.allocate(request, f.now);
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->repeated);
  EXPECT_EQ(after->instance, before->instance);
  EXPECT_EQ(after->arms, before->arms);
  EXPECT_EQ(after->unit_party, "p1");
  request.party = "p2";
  EXPECT_EQ(fresh.allocate(request, f.now).error().code, ErrorCode::Conflict);
  request.party = "p1";
  request.fleet = "arena";
  EXPECT_EQ(fresh.allocate(request, f.now).error().code, ErrorCode::Conflict);
  const auto other = fresh.allocate(f.ask("s2"), f.now);
  ASSERT_TRUE(other);
  EXPECT_NE(other->instance, before->instance);
}

TEST(Allocator, ALostInstancesSessionMayGetAnother) {
  AllocatorFixture f;
  f.add("1.0", 2);
  f.publish();
  f.look();
  const auto first = f.allocator.allocate(f.ask("s1"), f.now);
  f.serve(*first);
  f.look();
  f.shown.at(first->instance).state = InstanceState::Exited;
  f.look();
  const auto second = f.allocator.allocate(f.ask("s1"), f.now);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->repeated);
  EXPECT_NE(second->instance, first->instance);
}

TEST(Allocator, EveryExposedPlayerIsTold) {
  AllocatorFixture f;
  f.add("1.0", 100);
  f.add("2.0", 100);
  f.roll_out(300'000);
  f.publish();
  f.look();
  std::set<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    const std::string player = "p" + std::to_string(i);
    const auto given = f.allocator.allocate(f.ask("s" + std::to_string(i), {player}), f.now);
    ASSERT_TRUE(given);
    if (given->build == "2.0") expected.insert(player);
  }
  std::set<std::string> told;
  for (const auto& row : f.allocator.take_exposures(7)) told.insert(row.player);
  EXPECT_EQ(told.size(), 7u);
  for (const auto& row : f.allocator.take_exposures()) {
    EXPECT_EQ(row.event, "winter");
    told.insert(row.player);
  }
  EXPECT_EQ(told, expected);
  EXPECT_TRUE(f.allocator.take_exposures().empty());
}

TEST(Allocator, StaffAreOnTheCanaryButInNoSample) {
  AllocatorFixture f;
  f.add("1.0", 400);
  f.add("2.0", 400);
  auto spec = f.event_spec();
  StageSpec staff;
  staff.name = "staff";
  staff.gated = false;
  staff.audience = json::value{{"==", json::array{json::value{{"var", "group"}}, "staff"}}};
  spec.stages.insert(spec.stages.begin(), staff);
  f.put_event("winter", spec, Phase::RollingOut, 1).exposure_ppm = 100'000;
  f.publish();
  f.look();
  for (int i = 0; i < 300; ++i) {
    auto request = f.ask("s" + std::to_string(i), {"p" + std::to_string(i)});
    const bool is_staff = i % 3 == 0;
    if (is_staff) request.players[0].context = {{"group", "staff"}};
    const auto given = f.allocator.allocate(request, f.now);
    ASSERT_TRUE(given);
    ASSERT_EQ(given->arms.size(), 1u);
    EXPECT_EQ(given->arms[0].counted, !is_staff);
    if (is_staff) {
      EXPECT_EQ(given->build, "2.0");
    }
  }
  const auto totals = f.allocator.take_totals();
  EXPECT_EQ(totals.at(0).canary + totals.at(0).baseline, 200);
}

TEST(Allocator, MemoryIsBounded) {
  AllocatorFixture f;
  Allocator small({.sessions_max = 50,
                   .exposures_max = 10,
                   .players_max = 4,
                   .remember = minutes(10),
                   .spill_after = seconds(15)});
  f.add("1.0", 100);
  f.publish();
  const auto plan = std::make_shared<const AllocationPlan>(
      make_allocation_plan(f.world, [](const std::string&) { return "s"; }));
  small.publish(plan);
  small.observe("raid", f.observe(), f.now);
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(small.allocate(f.ask("s" + std::to_string(i)), f.now));
    small.release("s" + std::to_string(i), f.now);
    EXPECT_LE(small.sessions(), 50u);
  }
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(small.allocate(f.ask("t" + std::to_string(i)), f.now));
  EXPECT_EQ(small.allocate(f.ask("u"), f.now).error().code, ErrorCode::Limit);
  EXPECT_EQ(small.allocate(f.ask("u", {"a", "b", "c", "d", "e"}), f.now).error().code,
            ErrorCode::Invalid);
}

// Any order of looks, plans, releases and faults: no instance ever has two sessions, and none is
// given that is withheld.
TEST(Allocator, NeverTwoSessionsOnOneInstanceNorAnyOnWhatIsWithheld) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    AllocatorFixture f;
    f.add("1.0", 20);
    f.add("2.0", 20);
    f.roll_out(400'000);
    f.publish();
    f.look();
    std::map<std::string, std::string> playing;  // instance → session
    int serial = 0;
    for (int step = 0; step < 600; ++step) {
      f.now += Duration(std::int64_t(random.below(400)));
      auto at = f.shown.begin();
      std::advance(at, std::ptrdiff_t(random.below(f.shown.size())));
      Instance& instance = f.world.instances["raid/" + at->first];
      switch (random.below(8)) {
        case 0:
          instance.phase = random.chance(0.3) ? InstancePhase::Draining : InstancePhase::Ready;
          f.publish();
          break;
        case 1:
          if (at->second.state == InstanceState::Allocated) {
            at->second.state = InstanceState::Ready;
            at->second.session.reset();
            ++at->second.sessions_ended;
            playing.erase(at->first);
          }
          f.look();
          break;
        default: {
          const auto given = f.allocator.allocate(
              f.ask("s" + std::to_string(++serial), {"p" + std::to_string(serial)}), f.now);
          if (!given) {
            EXPECT_EQ(given.error().code, ErrorCode::Unavailable);
            break;
          }
          EXPECT_EQ(f.world.instances["raid/" + given->instance].phase, InstancePhase::Ready);
          EXPECT_TRUE(playing.emplace(given->instance, given->session).second) << given->instance;
          f.serve(*given);
        }
      }
    }
  }
}

}  // namespace
}  // namespace showcaller
