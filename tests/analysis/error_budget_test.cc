// SPDX-License-Identifier: Apache-2.0
#include "analysis/error_budget.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

struct Added {
  Instant at;
  BadCounts counts;
};

// All that was added, in the buckets that answer the span.
BadCounts naive(const std::vector<Added>& all, Duration span, Instant now) {
  const Duration width = RollingCounts::bucket_of(span);
  const std::int64_t last = now.time_since_epoch() / width;
  const std::int64_t first =
      last - std::int64_t(std::ceil(double(span.count()) / double(width.count())));
  BadCounts out;
  for (const Added& each : all) {
    const std::int64_t number = each.at.time_since_epoch() / width;
    if (number > first && number <= last) out.add(each.counts);
  }
  return out;
}

RC_GTEST_PROP(ErrorBudget, RollingSumsAreThoseOfARecomputation, ()) {
  RollingCounts rolling;
  std::vector<Added> all;
  Instant now = instant_ms(1'800'000'000'000);
  const auto gaps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 100'000));
  for (const int gap : gaps) {
    now += seconds(*rc::gen::element(gap / 10'000, gap / 100, gap));
    const std::int64_t bad = gap % 7;
    all.push_back({now, {bad + gap % 11, bad, bad * bad}});
    rolling.add(now, all.back().counts);
  }
  for (const Duration span : {minutes(5), minutes(30), hours(1), hours(6), hours(24 * 3),
                              hours(24 * 28), seconds(10), minutes(7), hours(50)})
    RC_ASSERT(rolling.over(span, now) == naive(all, span, now));
}

TEST(ErrorBudget, WhatIsProvenNeedsTraffic) {
  // One in ten, where one in a thousand may be: burn 100, of which ten sessions prove little.
  EXPECT_NEAR(burn_of({10, 1, 1}, 0.999), 100, 1e-9);
  EXPECT_LT(proven_burn({10, 1, 1}, 0.999), 1);
  EXPECT_GT(proven_burn({1'000, 100, 100}, 0.999), 60);
  EXPECT_LT(proven_burn({1'000, 100, 100}, 0.999), 100);
  EXPECT_GT(proven_burn({100'000, 10'000, 10'000}, 0.999), 95);
  EXPECT_EQ(proven_burn({0, 0, 0}, 0.999), 0);
  EXPECT_EQ(proven_burn({1'000, 1, 1}, 0.999), 0);
  EXPECT_EQ(budget_left_ppm({1'000, 0, 0}, 0.999), 1'000'000);
  EXPECT_EQ(budget_left_ppm({10'000, 5, 5}, 0.999), 500'000);
  EXPECT_EQ(budget_left_ppm({10'000, 20, 20}, 0.999), -1'000'000);
}

TEST(ErrorBudget, TheBoundIsTheExactOne) {
  // P(Bin(5, p) = 5) = 1e-4 at p = 1e-4^(1/5).
  EXPECT_NEAR(proven_burn({5, 5, 5}, 0.9), std::pow(1e-4, 0.2) / 0.1, 1e-4);
}

TEST(ErrorBudget, WhatIsOverIsSeenByEnoughThatIsGood) {
  EXPECT_TRUE(std::isinf(burn_at_most({0, 0, 0}, 0.999)));
  EXPECT_GT(burn_at_most({100, 0, 0}, 0.999), 14.4);
  EXPECT_LT(burn_at_most({2'000, 0, 0}, 0.999), 3);
  EXPECT_GT(burn_at_most({2'000, 20, 20}, 0.999), 10);
  EXPECT_NEAR(burn_at_most({10, 10, 10}, 0.999), 1'000, 1e-6);
  // The p with (1 - p)^20 = 0.01.
  EXPECT_NEAR(burn_at_most({20, 0, 0}, 0.9), (1 - std::pow(0.01, 1.0 / 20)) / 0.1, 0.02);
}

TEST(ErrorBudget, AnInstanceThatDiesIsOneMisfortune) {
  const BadCounts apart{400, 20, 20}, together{400, 20, 400};
  EXPECT_GT(proven_burn(apart, 0.999), 15);
  EXPECT_EQ(proven_burn(together, 0.999), 0);
}

// A share exactly at a rule's factor, looked at every ten seconds.
TEST(ErrorBudget, ByChanceSomebodyIsCalledSeldom) {
  Random random(7);
  const double objective = 0.999, factor = 14.4;
  int days = 0, calls = 0;
  for (; days < 12; ++days) {
    RollingCounts rolling;
    Instant now = instant_ms(1'800'000'000'000);
    bool called = false;
    for (int tick = 0; tick < 6 * 60 * 24 && !called; ++tick) {
      now += seconds(10);
      BadCounts counts;
      for (int session = 0; session < 4; ++session) {
        ++counts.n;
        counts.bad += random.chance(factor * (1 - objective));
      }
      counts.squares = counts.bad;
      rolling.add(now, counts);
      const BadCounts hour = rolling.over(hours(1), now);
      called = burn_of(hour, objective) >= factor && proven_burn(hour, objective) >= factor;
    }
    calls += called;
  }
  EXPECT_LE(calls, 1);
}

}  // namespace
}  // namespace showcaller
