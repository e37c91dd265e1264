// SPDX-License-Identifier: Apache-2.0
// Absolute budgets and levels.
#include "analysis/budget.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

Verdict run_budget(std::uint64_t seed, double rate, double per_tick, int ticks,
                   double late_rate = -1, int* at = nullptr) {
  BudgetState budget({.limit = 0.01});
  Random random(seed);
  Verdict verdict = Verdict::Thin;
  for (int i = 1; i <= ticks; ++i) {
    const double now = late_rate >= 0 && i > ticks / 2 ? late_rate : rate;
    const auto n = std::int64_t(random.poisson(per_tick));
    verdict = budget.feed(i * 10, {n, std::int64_t(random.binomial(std::uint64_t(n), now))});
    if (verdict == Verdict::Fail) {
      if (at) *at = i;
      break;
    }
  }
  return verdict;
}

TEST(Budget, LookingEveryTickRarelyConvictsABudgetThatIsJustKept) {
  int fails = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    fails += run_budget(seed, 0.01, 100, 360) == Verdict::Fail;
  EXPECT_LE(fails, 10);  // 0.5 % by Ville's inequality
}

// Negative: what the bounds above and below would say of a budget gate that is broken.
TEST(BrokenBudgets, AreSeen) {
  const auto peeks = [](std::uint64_t seed) {  // judges each look as if it were the only one
    Random random(seed);
    double n = 0, x = 0;
    for (int i = 1; i <= 360; ++i) {
      const std::uint64_t more = random.poisson(100);
      n += double(more);
      x += double(random.binomial(more, 0.01));
      if (x > 0.01 * n + 2.6 * std::sqrt(0.01 * n)) return true;
    }
    return false;
  };
  int fails = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) fails += peeks(seed);
  EXPECT_GT(fails, 10);

  BudgetState forgiving({.limit = 0.04});  // is asked for 1 %
  for (int i = 1; i <= 360; ++i) forgiving.feed(i * 10, {200, 4});
  EXPECT_NE(forgiving.look().verdict, Verdict::Fail);

  BudgetState upside_down({.limit = 0.01, .side = BudgetSide::AtLeast});
  for (int i = 1; i <= 360; ++i) upside_down.feed(i * 10, {200, 4});
  EXPECT_EQ(upside_down.look().verdict, Verdict::Pass) << "where 2 % of at most 1 % must fail";

  LevelState hasty({.at_least = 0.15, .ticks_to_fail = 1});
  hasty.feed(0.30);
  EXPECT_EQ(hasty.feed(0.10), Verdict::Fail) << "where one reading must not";
}

TEST(Budget, BrokenFailsKeptPassesAndBetweenIsThin) {
  EXPECT_EQ(run_budget(1, 0.02, 200, 360), Verdict::Fail);
  EXPECT_EQ(run_budget(1, 0.005, 200, 360), Verdict::Pass);
  EXPECT_EQ(run_budget(1, 0.01, 10, 60), Verdict::Thin);
}

TEST(Budget, ALateFaultIsNotDrownedByAGoodPast) {
  int at = 0;
  EXPECT_EQ(run_budget(3, 0.004, 500, 720, 0.02, &at), Verdict::Fail);
  EXPECT_LT(at, 360 + 60);
}

TEST(Budget, SilenceIsBlindAndABrokenBudgetStaysBroken) {
  BudgetState budget({.limit = 0.01});
  for (int i = 1; i <= 3; ++i) budget.feed(i * 10, {0, 0});
  EXPECT_EQ(budget.look().verdict, Verdict::Blind);
  EXPECT_EQ(budget.feed(40, {1000, 100}), Verdict::Fail);
  EXPECT_EQ(budget.feed(50, {100'000, 0}), Verdict::Fail);
  EXPECT_NE(budget.look().why.find("broken"), std::string::npos);
}

TEST(Budget, AFloorIsBrokenFromBelow) {
  const BudgetConfig floor{.limit = 0.1, .side = BudgetSide::AtLeast};
  BudgetState good(floor), bad(floor);
  for (int i = 1; i <= 60; ++i) {
    good.feed(i * 10, {100, 15});
    bad.feed(i * 10, {100, 6});
  }
  EXPECT_EQ(good.look().verdict, Verdict::Pass);
  EXPECT_EQ(bad.look().verdict, Verdict::Fail);
}

TEST(Budget, SilenceIsNotBlindnessWhereNothingWasToBeHeard) {
  BudgetState thin({.limit = 0.01});
  thin.feed(10, {1, 0});
  for (int i = 2; i <= 5; ++i) EXPECT_EQ(thin.feed(i * 10, {0, 0}), Verdict::Thin);
  EXPECT_EQ(thin.feed(60, {0, 0}), Verdict::Blind);
  BudgetState long_matches({.limit = 0.01});
  for (int i = 1; i <= 100; ++i)
    EXPECT_EQ(long_matches.feed(i * 10, {.alive = true}), Verdict::Thin);
}

TEST(Level, TakesSomeTicksToFailAndSomeToClear) {
  LevelState headroom({.at_least = 0.15});
  const std::pair<std::optional<double>, Verdict> steps[] = {
      {0.30, Verdict::Pass}, {0.10, Verdict::Thin}, {0.10, Verdict::Thin}, {0.20, Verdict::Thin},
      {0.10, Verdict::Thin}, {0.10, Verdict::Thin}, {0.10, Verdict::Fail}, {0.20, Verdict::Fail},
      {0.20, Verdict::Fail}, {0.20, Verdict::Pass}, {{}, Verdict::Pass},   {{}, Verdict::Pass},
      {{}, Verdict::Blind},  {0.15, Verdict::Pass}};
  for (const auto& [value, verdict] : steps) EXPECT_EQ(headroom.feed(value), verdict);
}

TEST(Level, KnowsBothSides) {
  LevelState queue({.at_most = 100, .ticks_to_fail = 1});
  EXPECT_EQ(queue.feed(100), Verdict::Pass);
  EXPECT_EQ(queue.feed(101), Verdict::Fail);
  EXPECT_EQ(queue.why(), "101, asked for at most 100");
}

}  // namespace
}  // namespace showcaller
