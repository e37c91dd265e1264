// SPDX-License-Identifier: Apache-2.0
#include "host/command_rates.h"

#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kSixAMinute = R"(
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: slow, owner: ops }
spec: { rate_limit: { commands: 6/min } }
)";

Command by(const std::string& actor, EventVerb verb) {
  return {EventCommand{"gala", verb}, {actor, {"admin"}}, {}, {}, {}};
}

TEST(CommandRates, EachActorHasAMinutesCommandsAndSafetyNeverWaits) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("policy.yaml", kSixAMinute));
  const World& world = *theatre.world();
  const Instant noon = theatre.clock.wall();
  CommandRates rates;
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(rates.take(world, by("ann", EventVerb::Resume), noon));
  const Status seventh = rates.take(world, by("ann", EventVerb::Resume), noon);
  ASSERT_FALSE(seventh);
  EXPECT_EQ(seventh.error().code, ErrorCode::Limit);
  EXPECT_EQ(seventh.error().retry_after_s, 10);
  EXPECT_TRUE(rates.take(world, by("ann", EventVerb::Rollback), noon));
  EXPECT_TRUE(rates.take(world, by("bob", EventVerb::Resume), noon));
  EXPECT_FALSE(rates.take(world, by("ann", EventVerb::Resume), noon + seconds(9)));
  EXPECT_TRUE(rates.take(world, by("ann", EventVerb::Resume), noon + seconds(10)));
  EXPECT_FALSE(rates.take(world, by("ann", EventVerb::Resume), noon + seconds(10)));
}

TEST(CommandRates, WithoutAPolicyThereIsNoLimit) {
  CommandRates rates;
  for (int i = 0; i < 10'000; ++i)
    EXPECT_TRUE(rates.take(World(), by("ann", EventVerb::Resume), Instant()));
}

// What a host's own submit() counts, it answers.
TEST(CommandRates, TheHostRefusesWhatIsTooMuch) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("policy.yaml", kSixAMinute));
  int refused = 0;
  for (int i = 0; i < 10; ++i) {
    Letter letter{by("ann", EventVerb::Resume), {}};
    refused += theatre.host().post(&letter) ? 0 : 1;
  }
  EXPECT_EQ(refused, 4);
}

}  // namespace
}  // namespace showcaller::test
