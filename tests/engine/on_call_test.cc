// SPDX-License-Identifier: Apache-2.0
#include "engine/on_call.h"

#include <gtest/gtest.h>

#include "model/manifest/zone.h"

namespace showcaller {
namespace {

RotaSpec rota(int days = 7) {
  RotaSpec out;
  out.zone = "Europe/Berlin";
  out.starts_ms = manifest::parse_local_time("2026-10-19T09:00")->ms;  // a Monday in summer time
  out.days = days;
  out.people = {"ann", "bob", "eve"};
  return out;
}

std::string at(const RotaSpec& spec, const char* when) {
  return on_call(spec, parse_instant(when).value());
}

TEST(OnCall, TurnsChangeAtTheSameTimeOnTheWall) {
  const RotaSpec weekly = rota();
  EXPECT_EQ(at(weekly, "2026-10-19T06:59:59Z"), "");  // It has not begun.
  EXPECT_EQ(at(weekly, "2026-10-19T07:00:00Z"), "ann");
  // The clocks go back on the 25th: nine in the morning is then eight in UTC.
  EXPECT_EQ(at(weekly, "2026-10-26T07:59:59Z"), "ann");
  EXPECT_EQ(at(weekly, "2026-10-26T08:00:00Z"), "bob");
  EXPECT_EQ(at(weekly, "2026-11-02T08:00:00Z"), "eve");
  EXPECT_EQ(at(weekly, "2026-11-09T08:00:00Z"), "ann");
  // And forward on the 28th of March.
  EXPECT_EQ(at(weekly, "2027-03-29T06:59:59Z"), at(weekly, "2027-03-22T09:00:00Z"));
  EXPECT_NE(at(weekly, "2027-03-29T07:00:00Z"), at(weekly, "2027-03-22T09:00:00Z"));
}

TEST(OnCall, ATurnThatWouldBeginInAGapBeginsAfterIt) {
  RotaSpec daily = rota(1);
  daily.starts_ms = manifest::parse_local_time("2027-03-27T02:30")->ms;
  EXPECT_EQ(at(daily, "2027-03-28T01:29:59Z"), "ann");  // 02:30 is left out: 03:30 it is.
  EXPECT_EQ(at(daily, "2027-03-28T01:30:00Z"), "bob");
  EXPECT_EQ(at(daily, "2027-03-29T00:30:00Z"), "eve");
}

TEST(OnCall, ATurnThatWouldBeginTwiceBeginsOnce) {
  RotaSpec daily = rota(1);
  daily.starts_ms = manifest::parse_local_time("2026-10-24T02:30")->ms;
  EXPECT_EQ(at(daily, "2026-10-25T00:29:59Z"), "ann");
  EXPECT_EQ(at(daily, "2026-10-25T00:30:00Z"), "bob");
  EXPECT_EQ(at(daily, "2026-10-25T01:30:00Z"), "bob");
}

TEST(OnCall, TheFirstOverrideThatHoldsCounts) {
  RotaSpec weekly = rota();
  const Instant from = parse_instant("2026-10-20T00:00:00Z").value();
  weekly.overrides = {{from, from + hours(12), "eve"}, {from, from + hours(24), "bob"}};
  EXPECT_EQ(at(weekly, "2026-10-20T11:00:00Z"), "eve");
  EXPECT_EQ(at(weekly, "2026-10-20T12:00:00Z"), "bob");
  EXPECT_EQ(at(weekly, "2026-10-21T00:00:00Z"), "ann");
}

TEST(OnCall, EveryMinuteOfAYearSomebodyIsAndNobodyTwiceAWeekRunning) {
  const RotaSpec weekly = rota();
  std::string before = "ann";
  int turns = 0;
  for (Instant t = parse_instant("2026-10-19T07:00:00Z").value();
       t < parse_instant("2027-10-19T07:00:00Z").value(); t += minutes(30)) {
    const std::string now = on_call(weekly, t);
    ASSERT_NE(now, "");
    turns += now != before ? 1 : 0;
    before = now;
  }
  EXPECT_EQ(turns, 52);
}

}  // namespace
}  // namespace showcaller
