// SPDX-License-Identifier: Apache-2.0
// How an allocation ends without its match: nobody came, the instance fell sick, or took it not.
#include "compute/allocator.h"
#include "tests/compute/allocator_fixture.h"

namespace showcaller {
namespace {

TEST(AllocationEnd, WhatNobodyClaimsIsFreeAgain) {
  AllocatorFixture f;
  f.add("1.0", 2);
  f.publish();
  f.look();
  const auto lost = f.allocator.allocate(f.ask("s1"), f.now);   // The driver never hears of it.
  const auto empty = f.allocator.allocate(f.ask("s2"), f.now);  // Nobody joins.
  ASSERT_TRUE(lost && empty);
  f.shown.at(empty->instance).capacity = 10;
  f.serve(*empty);
  f.look();
  f.allocator.expire(f.now + seconds(29));
  EXPECT_TRUE(f.allocator.unclaimed("raid").empty());
  f.allocator.expire(f.now + seconds(30));
  EXPECT_EQ(f.allocator.unclaimed("raid"), std::vector<std::string>{empty->instance});
  EXPECT_TRUE(f.allocator.allocate(f.ask("s2"), f.now + seconds(30))->repeated);
  const auto next = f.allocator.allocate(f.ask("s3"), f.now + seconds(30));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->instance, lost->instance);
  f.shown.at(empty->instance).players = 1;  // They came after all.
  f.look();
  EXPECT_TRUE(f.allocator.unclaimed("raid").empty());
}

TEST(AllocationEnd, AClaimedSessionDoesNotExpire) {
  AllocatorFixture f;
  f.add("1.0", 1);
  f.publish();
  f.look();
  const auto given = f.allocator.allocate(f.ask("s1"), f.now);
  f.serve(*given);
  f.shown.at(given->instance).capacity = 10;
  f.shown.at(given->instance).players = 1;
  f.look();
  f.allocator.expire(f.now + hours(1));
  EXPECT_TRUE(f.allocator.unclaimed("raid").empty());
  EXPECT_FALSE(f.allocator.allocate(f.ask("s2"), f.now));
}

TEST(AllocationEnd, AGameServerThatCountsNoPlayersIsLeftAlone) {
  AllocatorFixture f;
  f.add("1.0", 1);
  f.publish();
  f.look();
  f.serve(*f.allocator.allocate(f.ask("s1"), f.now));
  f.look();
  f.allocator.expire(f.now + hours(1));
  EXPECT_TRUE(f.allocator.unclaimed("raid").empty());
  EXPECT_TRUE(f.allocator.allocate(f.ask("s1"), f.now)->repeated);
}

TEST(AllocationEnd, TheSessionOfASickInstanceMayGetAnother) {
  for (const InstanceState sick : {InstanceState::Unhealthy, InstanceState::Shutdown}) {
    AllocatorFixture f;
    f.add("1.0", 2);
    f.publish();
    f.look();
    const auto first = f.allocator.allocate(f.ask("s1"), f.now);
    f.serve(*first);
    f.look();
    f.shown.at(first->instance).state = sick;
    f.look();
    const auto second = f.allocator.allocate(f.ask("s1"), f.now);
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->repeated);
    EXPECT_NE(second->instance, first->instance);
  }
}

// The game server reserved itself, or another session came first: the repeated request must not be
// sent there for ever.
TEST(AllocationEnd, AnAllocationThatTheInstanceRefusedIsForgottenAtOnce) {
  for (const bool reserved : {true, false}) {
    AllocatorFixture f;
    f.add("1.0", 2);
    f.publish();
    f.look();
    const auto first = f.allocator.allocate(f.ask("s1"), f.now);
    ObservedInstance& seen = f.shown.at(first->instance);
    seen.state = reserved ? InstanceState::Reserved : InstanceState::Allocated;
    if (!reserved) seen.session = "of-another-server";
    f.look();
    const auto second = f.allocator.allocate(f.ask("s1"), f.now);
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->repeated);
    EXPECT_NE(second->instance, first->instance);
  }
}

}  // namespace
}  // namespace showcaller
