// SPDX-License-Identifier: Apache-2.0
// Quotas of events and instances, and the bucket of commands.
#include "policy/quotas.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/policy/policy_world.h"

namespace showcaller {
namespace {

TEST(Quotas, CountActiveEvents) {
  World world;
  PolicySpec policy;
  policy.quotas = {{"calm", 2, 0}};
  add_policy(&world, "house", policy);
  add_event(&world, {.name = "a", .phase = Phase::RollingOut});
  add_event(&world, {.name = "b", .phase = Phase::Validated});
  add_event(&world, {.name = "c", .phase = Phase::Retired});
  EXPECT_TRUE(check_event_quota(world, "d", kNoon));
  add_event(&world, {.name = "b", .phase = Phase::Approved});
  EXPECT_TRUE(check_event_quota(world, "d", kNoon)) << "what waits is not active yet";
  add_event(&world, {.name = "b", .phase = Phase::Preparing});
  EXPECT_EQ(check_event_quota(world, "d", kNoon).error().code, ErrorCode::Limit);
  EXPECT_EQ(check_event_quota(world, "d", kNoon).error().message,
            "2 events are active and quota 'calm' of policy 'house' allows 2; retire or cancel one "
            "before d goes on");
  EXPECT_TRUE(check_event_quota(world, "a", kNoon))
      << "an active event does not stand in its own way";
  EXPECT_TRUE(quota_notes(world, "d", kNoon).empty());

  policy.exceptions = {{"one-more", "calm", "d", "the finale", kNoon + hours(1)}};
  add_policy(&world, "house", policy);
  EXPECT_TRUE(check_event_quota(world, "d", kNoon));
  EXPECT_FALSE(check_event_quota(world, "e", kNoon));
  EXPECT_FALSE(check_event_quota(world, "d", kNoon + hours(1)));

  policy.exceptions.clear();
  policy.audit_only = true;
  add_policy(&world, "house", policy);
  EXPECT_TRUE(check_event_quota(world, "d", kNoon));
  EXPECT_EQ(quota_notes(world, "d", kNoon).size(), 1u);
}

TEST(Quotas, CountInstances) {
  World world;
  PolicySpec policy;
  policy.quotas = {{"small", 0, 3}};
  add_policy(&world, "house", policy);
  world.instances["raid/1"] = {};
  EXPECT_TRUE(check_instance_quota(world, 2));
  EXPECT_EQ(check_instance_quota(world, 3).error().code, ErrorCode::Limit);
}

TEST(Quotas, TheTightestRateCounts) {
  World world;
  EXPECT_EQ(commands_per_minute_max(world), 0);
  add_policy(&world, "a", {.commands_per_minute_max = 100});
  add_policy(&world, "b", {.commands_per_minute_max = 30});
  add_policy(&world, "c", {.commands_per_minute_max = 1, .audit_only = true});
  EXPECT_EQ(commands_per_minute_max(world), 30);
}

TEST(Bucket, HoldsAMinuteOfCommandsAndFillsEvenly) {
  CommandBucket bucket;
  for (int i = 0; i < 60; ++i) {
    const BucketAnswer answer = take_command(bucket, 60, kNoon);
    EXPECT_TRUE(answer.allowed);
    bucket = answer.bucket;
  }
  BucketAnswer answer = take_command(bucket, 60, kNoon);
  EXPECT_FALSE(answer.allowed);
  EXPECT_EQ(answer.retry_after, seconds(1));
  EXPECT_FALSE(take_command(answer.bucket, 60, kNoon + Duration(999)).allowed);
  EXPECT_TRUE(take_command(answer.bucket, 60, kNoon + seconds(1)).allowed);
  EXPECT_EQ(rate_limited("ann", 60, seconds(1)).message,
            "'ann' has used its 60 commands a minute; try again in 1s");
}

TEST(Bucket, NoLimitAllowsAll) {
  EXPECT_TRUE(take_command({0, kNoon}, 0, kNoon).allowed);
}

TEST(Bucket, NeverLetsMoreThroughThanTheRate) {
  EXPECT_TRUE(
      rc::check("in any time T at most (1 + T) minutes' worth pass, and retry_after is exact", [] {
        const int per_minute = *rc::gen::inRange(1, 5'000);
        CommandBucket bucket;
        Instant now = kNoon;
        std::int64_t passed = 0;
        for (const int wait_ms :
             *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3'000))) {
          now += Duration(wait_ms);
          const BucketAnswer answer = take_command(bucket, per_minute, now);
          bucket = answer.bucket;
          passed += answer.allowed ? 1 : 0;
          if (!answer.allowed) {
            RC_ASSERT(take_command(bucket, per_minute, now + answer.retry_after).allowed);
            RC_ASSERT(
                !take_command(bucket, per_minute, now + answer.retry_after - Duration(1)).allowed);
          }
          RC_ASSERT(passed * 60'000 <= (60'000 + (now - kNoon).count()) * per_minute);
        }
      }));
}

}  // namespace
}  // namespace showcaller
