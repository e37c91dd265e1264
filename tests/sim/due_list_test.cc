// SPDX-License-Identifier: Apache-2.0
#include "sim/due_list.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller::sim {
namespace {

std::vector<std::uint64_t> taken_until(DueList* list, std::int64_t second) {
  std::vector<std::uint64_t> out;
  list->take_until(second, [&](std::uint64_t number) { out.push_back(number); });
  return out;
}

TEST(DueList, GivesWhatIsDueInOrder) {
  DueList list;
  list.add(7, 1);
  list.add(3, 2);
  list.add(7, 3);
  EXPECT_EQ(taken_until(&list, 2), (std::vector<std::uint64_t>{}));
  EXPECT_EQ(taken_until(&list, 7), (std::vector<std::uint64_t>{2, 1, 3}));
  list.add(5, 4);  // Late: with the next second.
  EXPECT_EQ(taken_until(&list, 8), (std::vector<std::uint64_t>{4}));
}

TEST(DueList, TakesWhatIsAddedToTheSecondThatIsTaken) {
  DueList list;
  list.add(4, 1);
  std::vector<std::uint64_t> out;
  list.take_until(4, [&](std::uint64_t number) {
    out.push_back(number);
    if (number < 3) list.add(4, number + 1);
  });
  EXPECT_EQ(out, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(DueList, LosesNothingHoweverFarItIs) {
  Random random(3);
  DueList list;
  std::multimap<std::int64_t, std::uint64_t> naive;
  std::vector<std::uint64_t> due, expected;
  std::int64_t now = 0;
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    const std::int64_t second = now + 1 + std::int64_t(random.exponential(4'000));
    list.add(second, number);
    naive.emplace(second, number);
    if (!random.chance(0.01)) continue;
    now += std::int64_t(random.below(3'000));
    for (const std::uint64_t each : taken_until(&list, now)) due.push_back(each);
    const auto end = naive.upper_bound(now);
    for (auto at = naive.begin(); at != end; ++at) expected.push_back(at->second);
    naive.erase(naive.begin(), end);
  }
  EXPECT_GT(due.size(), 1'000u);
  EXPECT_EQ(due, expected);
}

}  // namespace
}  // namespace showcaller::sim
