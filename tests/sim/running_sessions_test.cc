// SPDX-License-Identifier: Apache-2.0
#include "sim/running_sessions.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller::sim {
namespace {

Playing session(std::uint64_t id, Duration ends, std::uint32_t instance = 0) {
  Playing out;
  out.id = id;
  out.ends = ends;
  out.instance = instance;
  return out;
}

std::vector<std::uint64_t> sorted_ids(const std::vector<Playing>& sessions) {
  std::vector<std::uint64_t> out;
  for (const Playing& each : sessions) out.push_back(each.id);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::uint64_t> taken_until(RunningSessions* running, Duration end) {
  std::vector<Playing> out;
  running->take_until(end, &out);
  return sorted_ids(out);
}

TEST(RunningSessions, AreTakenWhenTheyAreOver) {
  RunningSessions running;
  running.add(session(1, seconds(7)));
  running.add(session(2, seconds(3)));
  running.add(session(3, seconds(700)));
  EXPECT_TRUE(taken_until(&running, seconds(2)).empty());
  EXPECT_EQ(taken_until(&running, seconds(7)), (std::vector<std::uint64_t>{1, 2}));
  running.add(session(4, seconds(5)));  // Late: with the next.
  EXPECT_EQ(taken_until(&running, seconds(8)), (std::vector<std::uint64_t>{4}));
  EXPECT_EQ(taken_until(&running, seconds(700)), (std::vector<std::uint64_t>{3}));
}

TEST(RunningSessions, ThoseOfAnInstanceAreTakenHoweverLongTheyWouldLast) {
  RunningSessions running;
  running.add(session(1, seconds(7), 5));
  running.add(session(2, hours(50), 5));
  running.add(session(3, hours(50), 6));
  std::vector<Playing> out;
  running.take_if([](const Playing& each) { return each.instance == 5; }, &out);
  EXPECT_EQ(sorted_ids(out), (std::vector<std::uint64_t>{1, 2}));
  out.clear();
  running.each([&](const Playing& each) { out.push_back(each); });
  EXPECT_EQ(sorted_ids(out), (std::vector<std::uint64_t>{3}));
}

TEST(RunningSessions, NoneIsLostHoweverFarItsEnd) {
  Random random(3);
  RunningSessions running;
  std::multimap<Duration, std::uint64_t> naive;
  std::vector<std::uint64_t> over, expected;
  Duration now{};
  for (std::uint64_t id = 1; id <= 20'000; ++id) {
    const Duration ends = now + Duration(1 + std::int64_t(random.exponential(4e6)));
    running.add(session(id, ends));
    naive.emplace(ends, id);
    if (!random.chance(0.01)) continue;
    now += Duration(random.below(3'000'000));
    for (const std::uint64_t each : taken_until(&running, now)) over.push_back(each);
    const auto end = naive.upper_bound(now);
    std::vector<std::uint64_t> due;
    for (auto at = naive.begin(); at != end; ++at) due.push_back(at->second);
    std::sort(due.begin(), due.end());
    expected.insert(expected.end(), due.begin(), due.end());
    naive.erase(naive.begin(), end);
  }
  EXPECT_GT(over.size(), 1'000u);
  EXPECT_EQ(over, expected);
}

}  // namespace
}  // namespace showcaller::sim
