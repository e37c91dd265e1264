// SPDX-License-Identifier: Apache-2.0
// Capacity that follows a forecast: what the planner wishes for, and what readiness, gates and
// people are told of it.
#include "compute/forecast_capacity.h"

#include "compute/fleet_capacity.h"
#include "tests/compute/fixture.h"

namespace showcaller {
namespace {

// Hour by hour from the fixture's own hour on, in the region eu.
std::shared_ptr<const DemandOutlook> outlook_with(const FleetFixture& f,
                                                  std::vector<double> first_hours) {
  first_hours.resize(kForecastHours, first_hours.back());
  return std::make_shared<const DemandOutlook>(
      DemandOutlook{.basis = ForecastBasis::Weeks,
                    .hours_known = 500,
                    .from = f.now,
                    .past = {},
                    .sessions = {{"eu", std::move(first_hours)}}});
}

FleetView forecast_view_of(const FleetFixture& f) {
  return fleet_view(f.world, "raid", f.observe(), f.now, f.outlook);
}

struct PlannerRow {
  const char* what;
  std::vector<double> forecast;
  std::int64_t headroom_ppm;
  Duration scale_up;
  int sessions_each, instances_max;
  int desired;  // of a fleet of which at least 4 run
};

TEST(ForecastCapacity, ThePlannerWishesForThePeakUntilMoreCouldBeReady) {
  const std::vector<PlannerRow> rows = {
      {"the peak of this hour", {20, 80}, 0, minutes(10), 1, 100, 20},
      {"with headroom", {20, 80}, 300'000, minutes(10), 1, 100, 26},
      {"an hour that begins before it could be ready", {20, 80}, 0, hours(1), 1, 100, 80},
      {"the highest of several hours", {20, 80, 30}, 0, hours(3), 1, 100, 80},
      {"several sessions an instance", {20, 80}, 250'000, hours(1), 8, 100, 13},
      {"no more than the fleet may have", {200}, 0, minutes(10), 1, 100, 100},
      {"no less than its minimum", {1}, 0, minutes(10), 1, 100, 4},
  };
  for (const PlannerRow& row : rows) {
    FleetFixture f;
    f.fleet.capacity.forecast = {row.headroom_ppm, row.scale_up};
    f.fleet.capacity.instances_max = row.instances_max;
    f.fleet.builds[0].sessions_per_instance = row.sessions_each;
    f.apply_fleet();
    f.outlook = outlook_with(f, row.forecast);
    EXPECT_EQ(forecast_view_of(f).total("1.0").desired, row.desired) << row.what;
    f.passes(4);
    EXPECT_EQ(forecast_view_of(f).total("1.0").ready, row.desired) << row.what;
  }
}

TEST(ForecastCapacity, WithoutAForecastOrAWishForOneNothingChanges) {
  FleetFixture f;
  f.fleet.capacity.forecast = ForecastCapacity{0, hours(1)};
  f.apply_fleet();
  EXPECT_EQ(forecast_view_of(f).total().desired, 4);
  f.outlook =
      std::make_shared<const DemandOutlook>(DemandOutlook{ForecastBasis::None, 47, f.now, {}});
  EXPECT_EQ(forecast_view_of(f).total().desired, 4);
  EXPECT_EQ(forecast_standing(f.world, forecast_view_of(f), f.now).says,
            "no forecast: 47 hours of demand are known, and it takes 48");
  f.fleet.capacity.forecast.reset();
  f.apply_fleet();
  f.outlook = outlook_with(f, {50});
  EXPECT_EQ(forecast_view_of(f).total().desired, 4);
}

TEST(ForecastCapacity, AStageTakesItsShareOfThePeak) {
  FleetFixture f;
  f.fleet.capacity.forecast = ForecastCapacity{0, minutes(10)};
  f.apply_fleet();
  f.put_event("winter", FleetFixture::event_spec(), Phase::RollingOut, 1);  // 25 %
  f.outlook = outlook_with(f, {80});
  EXPECT_EQ(forecast_view_of(f).total("2.0").desired, 20);
  EXPECT_EQ(forecast_view_of(f).total("1.0").desired, 60);
}

LiveEventSpec asking_event() {
  LiveEventSpec spec = FleetFixture::event_spec();
  spec.readiness.capacity_headroom_ppm = 300'000;
  spec.readiness.capacity_from_forecast = true;
  return spec;
}

// Its first stage bakes for two hours: so far ahead its own fleet has to look.
TEST(ForecastCapacity, AnEventThatAsksForHeadroomIsProvidedFor) {
  FleetFixture f;
  f.apply_fleet();
  f.put_event("winter", asking_event(), Phase::Preparing, -1);
  f.outlook = outlook_with(f, {10, 20, 40, 90});
  f.passes(4);
  EXPECT_EQ(forecast_view_of(f).total("1.0").ready, 52)
      << "40 and 30 %: the hour of 90 is after its bake";
  const auto standing = capacity_standing(f.world, forecast_view_of(f), f.event("winter"), f.now);
  EXPECT_TRUE(standing.ready) << standing.detail;
  EXPECT_EQ(
      standing.detail,
      "2 instances of build 2.0 are ready; the forecast peak of 40 sessions in a region fits");
}

TEST(ForecastCapacity, ReadinessDoesNotCountTheEventsOwnBuilds) {
  FleetFixture f;
  f.fleet.capacity.canary_instances_min = 60;
  f.apply_fleet();
  f.put_event("winter", asking_event(), Phase::Preparing, -1);
  f.passes(4);
  f.outlook = outlook_with(f, {40});
  const auto standing = capacity_standing(f.world, forecast_view_of(f), f.event("winter"), f.now);
  EXPECT_FALSE(standing.ready);
  EXPECT_EQ(
      standing.detail,
      "room for 4 of 52 sessions in eu, for a peak of 40 forecast at 08:00 UTC and 30 % free");
}

TEST(ForecastCapacity, WithTooLittleHistoryReadinessSaysThatItTakesWhatRuns) {
  FleetFixture f;
  f.apply_fleet();
  f.put_event("winter", asking_event(), Phase::Preparing, -1);
  f.outlook =
      std::make_shared<const DemandOutlook>(DemandOutlook{ForecastBasis::None, 5, f.now, {}});
  f.passes(4);
  const auto standing = capacity_standing(f.world, forecast_view_of(f), f.event("winter"), f.now);
  EXPECT_TRUE(standing.ready);
  EXPECT_EQ(standing.detail,
            "2 instances of build 2.0 are ready; need is what runs now (no forecast: 5 hours of "
            "demand are known, and it takes 48)");
}

TEST(ForecastCapacity, HeadroomOfAStageIsThatOfItsWorseSide) {
  FleetFixture f;
  f.apply_fleet();
  LiveEventSpec spec = FleetFixture::event_spec();
  GateSpec gate;
  gate.name = gate.metric = "capacity.headroom";
  gate.at_least = 0.2;
  spec.gates = {gate};
  f.put_event("winter", spec, Phase::RollingOut, 1);
  f.outlook = outlook_with(f, {40});
  f.passes(4);
  const auto kept = headroom_ahead(f.world, forecast_view_of(f), f.event("winter"), f.now);
  ASSERT_TRUE(kept);
  EXPECT_NEAR(kept->level, 0.2, 1e-9) << "12 for 10 on the canary, 36 for 30 beside it";
  EXPECT_EQ(kept->basis, "of a peak of 40 sessions in eu at 08:00 UTC");
  f.outlook = outlook_with(f, {60});
  const auto risen = headroom_ahead(f.world, forecast_view_of(f), f.event("winter"), f.now);
  EXPECT_NEAR(risen->level, -0.2, 1e-9);
}

// Its players come beside those of the past, on its first day.
TEST(ForecastCapacity, PlayersThatAnEventExpectsAreCountedFromItsStart) {
  FleetFixture f;
  f.fleet.capacity.forecast = ForecastCapacity{0, hours(2)};
  f.fleet.capacity.players_per_session = 4;
  f.apply_fleet();
  LiveEventSpec spec = FleetFixture::event_spec();
  spec.intake.expected_players = 120;
  spec.schedule.start = ScheduledTime{f.now + hours(2), {}};
  f.put_event("winter", spec, Phase::Approved, -1);
  f.outlook = outlook_with(f, {10});
  EXPECT_EQ(peak_ahead(f.world, "raid", *f.outlook, "eu", f.now, hours(1)).sessions, 10);
  EXPECT_EQ(peak_ahead(f.world, "raid", *f.outlook, "eu", f.now, hours(2)).sessions, 40);
  const Instant next_day = f.now + hours(27);
  EXPECT_EQ(peak_ahead(f.world, "raid", *f.outlook, "eu", next_day, {}).sessions, 10)
      << "by then the past has them";
  f.event("winter").phase = Phase::RolledBack;
  EXPECT_EQ(peak_ahead(f.world, "raid", *f.outlook, "eu", f.now, hours(2)).sessions, 10);
}

TEST(ForecastCapacity, WhoLooksIsToldWhenCapacityIsShort) {
  FleetFixture f;
  f.fleet.health.start_timeout = minutes(10);
  f.apply_fleet();
  f.passes(4);
  std::vector<double> day(kForecastHours, 3);
  day[10] = 18;  // 18:00
  f.outlook = outlook_with(f, day);
  const ForecastStanding by_hand = forecast_standing(f.world, forecast_view_of(f), f.now);
  EXPECT_EQ(by_hand.short_instances, 14);
  EXPECT_EQ(by_hand.says,
            "peak of 18 sessions at 18:00 UTC (forecast from 500 hours, by the weekly profile); "
            "short by 14 instances at 18:00 UTC; pre-warm from 17:40 UTC");
  f.fleet.capacity.forecast = ForecastCapacity{0, minutes(20)};
  f.apply_fleet();
  EXPECT_EQ(forecast_standing(f.world, forecast_view_of(f), f.now).short_instances, 0)
      << "the fleet scales ahead by itself";
  f.fleet.capacity.instances_max = 10;
  f.apply_fleet();
  EXPECT_NE(forecast_standing(f.world, forecast_view_of(f), f.now)
                .says.find("short by 8 instances at 18:00 UTC; raise `capacity.max`"),
            std::string::npos);
}

}  // namespace
}  // namespace showcaller
