// SPDX-License-Identifier: Apache-2.0
// What is known of the hour before: of each source its own, for an hour, and never more than its
// limits.
#include "flow/baseline_history.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace showcaller {
namespace {

const Instant kNow = instant_ms(1'800'000'000'000);
const BaselineSource kBase{"raid", "1.0.0", ""};
const BaselineSource kCanary{"raid", "1.1.0", ""};
const BaselineSource kElsewhere{"arena", "1.0.0", ""};

std::int64_t units(const BaselineHistory& history, std::vector<BaselineSource> sources,
                   Instant now = kNow) {
  const auto totals = history.totals(sources, now);
  const auto at = totals.find("session.error");
  return at == totals.end() ? 0 : at->second.n;
}

TEST(BaselineHistory, EachBuildOfEachFleetIsItsOwnSource) {
  BaselineHistory history;
  history.learn(kBase, "session.error", {"i1", ""}, {10, 1, {}}, kNow);
  history.learn(kCanary, "session.error", {"i2", ""}, {20, 9, {}}, kNow);
  history.learn(kElsewhere, "session.error", {"i3", ""}, {40, 0, {}}, kNow);
  EXPECT_EQ(units(history, {kBase}), 10);
  EXPECT_EQ(units(history, {kBase, kElsewhere}), 50);
  EXPECT_EQ(history.groups({&kBase, 1}, "session.error", kNow).size(), 1u);
}

TEST(BaselineHistory, AnHourLaterItIsForgotten) {
  BaselineHistory history;
  for (int minute = 0; minute < 120; ++minute)
    history.learn(kBase, "session.error", {"i1", ""}, {1, 0, {}}, kNow + minutes(minute));
  const Instant end = kNow + minutes(119);
  EXPECT_GE(units(history, {kBase}, end), 55);
  EXPECT_LE(units(history, {kBase}, end), 60);
  EXPECT_EQ(history.counters(), 12u);
  // Also where nothing came since that could have pushed it out.
  EXPECT_EQ(units(history, {kBase}, end + hours(1)), 0);
}

TEST(BaselineHistory, GroupsBeyondTheLimitCountInTheTotalsAlone) {
  BaselineHistory history({.series_max = 2, .groups_max = 5});
  for (int i = 0; i < 50; ++i)
    history.learn(kBase, "session.error", {fmt::format("i{}", i), ""}, {1, 0, {}}, kNow);
  EXPECT_EQ(units(history, {kBase}), 50);
  EXPECT_EQ(history.groups({&kBase, 1}, "session.error", kNow).size(), 5u);
  for (int i = 0; i < 50; ++i)
    history.learn(kBase, fmt::format("invented-{}", i), {"i1", ""}, {1, 0, {}}, kNow);
  EXPECT_EQ(history.totals({&kBase, 1}, kNow).size(), 2u);
  // The next five minutes have limits of their own.
  history.learn(kBase, "session.error", {"i40", ""}, {1, 0, {}}, kNow + minutes(5));
  EXPECT_EQ(history.groups({&kBase, 1}, "session.error", kNow + minutes(5)).size(), 6u);
}

}  // namespace
}  // namespace showcaller
