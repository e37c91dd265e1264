// SPDX-License-Identifier: Apache-2.0
// Exclusion groups and holdouts: parts never meet, are as large as they say, keep what they have
// while they live, and are drawn alike by every provider.
#include "flag/exposure_bounds.h"

#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "flag/exposure.h"
#include "flag/logic.h"

namespace showcaller {
namespace {

// A group's life: members come with a share, change it, and end.
struct Group {
  std::int64_t limit = kExposureWhole;
  std::map<int, BucketRanges> members;

  std::vector<BucketRanges> others_of(int member) const {
    std::vector<BucketRanges> out;
    for (const auto& [name, ranges] : members) {
      if (name != member) out.push_back(ranges);
    }
    return out;
  }
  bool set(int member, std::int64_t share) {
    const auto taken = take_buckets(share, members[member], others_of(member), limit);
    if (taken) members[member] = *taken;
    if (!taken && members[member].empty()) members.erase(member);
    return taken.has_value();
  }
  std::int64_t used() const {
    std::int64_t used = 0;
    for (const auto& [name, ranges] : members) used += size_of(ranges);
    return used;
  }
};

void expect_apart(const Group& group) {
  std::set<std::pair<std::int64_t, std::int64_t>> all;
  for (const auto& [name, ranges] : group.members) all.insert(ranges.begin(), ranges.end());
  std::int64_t end = 0;
  for (const auto& [from, to] : all) {
    RC_ASSERT(from >= end);
    RC_ASSERT(to > from);
    RC_ASSERT(to <= group.limit);
    end = to;
  }
}

TEST(ExclusionGroup, PartsNeverMeetAndAreAsLargeAsTheySay) {
  EXPECT_TRUE(rc::check("whoever comes, grows, shrinks and ends", [] {
    Group group{.limit = 1'000'000 - *rc::gen::inRange(0, 300'000)};
    const int steps = *rc::gen::inRange(1, 40);
    for (int i = 0; i < steps; ++i) {
      const int member = *rc::gen::inRange(0, 6);
      if (*rc::gen::inRange(0, 4) == 0) {
        group.members.erase(member);
        continue;
      }
      const std::int64_t share = 1 + *rc::gen::inRange(0, 500'000);
      const BucketRanges before =
          group.members.contains(member) ? group.members[member] : BucketRanges();
      const std::int64_t room = group.limit - group.used() + size_of(before);
      RC_ASSERT(group.set(member, share) == (share <= room));
      if (share > room) continue;
      RC_ASSERT(size_of(group.members[member]) == share);
      expect_apart(group);
      // Who is in stays in while the share grows, and nobody new comes in while it shrinks.
      for (const std::int64_t bucket : {before.empty() ? 0 : before.front().first}) {
        if (before.empty() || share < size_of(before)) continue;
        RC_ASSERT(std::ranges::any_of(group.members[member], [&](const auto& range) {
          return range.first <= bucket && bucket < range.second;
        }));
      }
    }
  }));
}

TEST(ExclusionGroup, AShareThatGrowsKeepsWhatItHas) {
  Group group;
  EXPECT_TRUE(group.set(1, 100'000));
  EXPECT_TRUE(group.set(2, 100'000));
  EXPECT_TRUE(group.set(1, 250'000));
  EXPECT_EQ(group.members[1], (BucketRanges{{0, 100'000}, {200'000, 350'000}}));
  EXPECT_TRUE(group.set(1, 150'000));
  EXPECT_EQ(group.members[1], (BucketRanges{{0, 100'000}, {200'000, 250'000}}));
  group.members.erase(2);
  EXPECT_TRUE(group.set(3, 120'000));
  EXPECT_EQ(group.members[3], (BucketRanges{{100'000, 200'000}, {250'000, 270'000}}));
  EXPECT_EQ(group.set(4, 740'000), false);
}

// A flag that was removed and comes again may find others in its buckets.
TEST(ExclusionGroup, WhatSomebodyElseHasByNowIsNotKept) {
  const auto part = take_buckets(200'000, {{0, 200'000}}, {{{100'000, 300'000}}}, 1'000'000);
  EXPECT_EQ(part.value(), (BucketRanges{{0, 100'000}, {300'000, 400'000}}));
}

bool lets_in(const ExposureBounds& bounds, const std::string& player) {
  json::array all = bounds_conditions(bounds, "party");
  all.insert(all.begin(), true);
  const auto logic = Logic::compile(json::object{{"and", all}}).value();
  return logic.test(json::object{{"party", player}}).value();
}

TEST(ExposureBounds, TheConditionIsTheBucket) {
  EXPECT_TRUE(rc::check("what providers evaluate is what the words say", [] {
    ExposureBounds bounds;
    if (*rc::gen::arbitrary<bool>()) {
      bounds.group = "raids";
      bounds.buckets =
          take_buckets(1 + *rc::gen::inRange(0, 700'000), {}, {{{100, 200'000}}}, 950'000).value();
    }
    if (*rc::gen::arbitrary<bool>()) bounds.holdouts["q4"] = *rc::gen::inRange(0, 500'000);
    const std::string unit = fmt::format("party-{}", *rc::gen::inRange(0, 100'000));
    RC_ASSERT(lets_in(bounds, unit) == !refused_by(bounds, unit).has_value());
  }));
}

TEST(ExposureBounds, TwoOfOneGroupNeverTouchOnePlayer) {
  ExposureBounds a{.group = "raids", .buckets = {{0, 400'000}}};
  ExposureBounds b{.group = "raids", .buckets = {{400'000, 700'000}}};
  int in_a = 0, in_b = 0;
  constexpr int kUnits = 20'000;
  for (int i = 0; i < kUnits; ++i) {
    const std::string unit = fmt::format("party-{}", i);
    const bool first = lets_in(a, unit), second = lets_in(b, unit);
    EXPECT_FALSE(first && second);
    in_a += first;
    in_b += second;
  }
  EXPECT_NEAR(in_a, 0.4 * kUnits, 300);
  EXPECT_NEAR(in_b, 0.3 * kUnits, 300);
}

TEST(ExposureBounds, AHoldoutIsTheSameForEveryEventAndOnlyGrows) {
  for (int i = 0; i < 2'000; ++i) {
    const std::string unit = fmt::format("p-{}", i);
    const bool small = lets_in({.holdouts = {{"q4", 50'000}}}, unit);
    const bool large = lets_in({.holdouts = {{"q4", 100'000}}}, unit);
    EXPECT_TRUE(small || !large) << "whom 5 % keep out, 10 % keep out";
    const bool in_group = lets_in(
        {.group = "raids", .buckets = {{0, 1'000'000}}, .holdouts = {{"q4", 50'000}}}, unit);
    EXPECT_EQ(in_group, small);
  }
}

}  // namespace
}  // namespace showcaller
