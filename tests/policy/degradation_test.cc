// SPDX-License-Identifier: Apache-2.0
#include "policy/degradation.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/policy/policy_world.h"

namespace showcaller {
namespace {

ServiceSpec matchmaking() {
  ServiceSpec spec;
  spec.slos = {{"quick-join", "join.latency", 0.99, hours(24)}};
  spec.depends_on = {"grants"};
  spec.features = {{"leaderboards", "leaderboards", "cached", "A little behind."},
                   {"gossip", "", "", ""},
                   {"cosmetics", "cosmetics", "plain", ""},
                   {"party-finder", "party-finder", "friends", ""}};
  spec.degradation.headroom_min_ppm = 100'000;
  spec.degradation.fleets = {"raid"};
  return spec;
}

World world_with(ServiceSpec spec) {
  World world;
  Manifest manifest;
  manifest.name = "matchmaking";
  manifest.spec = std::move(spec);
  world.manifests["Service/matchmaking"] = {std::make_shared<const Manifest>(std::move(manifest)),
                                            1};
  return world;
}

StressSign burn(std::int64_t thousandths) {
  return {StressKind::Burn, "quick-join", thousandths, 6'000};
}
StressSign headroom(std::int64_t thousandths) {
  return {StressKind::Headroom, "raid", thousandths, 100};
}

// Folds what follows into the world, as the engine does.
std::optional<Payload> next_move(World* world, std::vector<StressSign> signs, Instant now) {
  auto out = degradation_move(*world, "matchmaking", signs, now);
  if (!out) return out;
  Record record;
  record.seq = world->seq + 1;
  record.time = now;
  record.payload = *out;
  EXPECT_TRUE(evolve(world, record));
  return out;
}

template <class T>
const T* as(const std::optional<Payload>& payload) {
  return payload ? std::get_if<T>(&*payload) : nullptr;
}

TEST(Degradation, TheLeastImportantGoesFirstAndComesBackLast) {
  World world = world_with(matchmaking());
  ASSERT_TRUE(as<StressChanged>(next_move(&world, {burn(14'400)}, kNoon)));
  EXPECT_FALSE(next_move(&world, {burn(14'400)}, kNoon + seconds(29)));
  const auto first = next_move(&world, {burn(14'400)}, kNoon + seconds(30));
  ASSERT_TRUE(as<FeatureWithdrawn>(first));
  EXPECT_EQ(as<FeatureWithdrawn>(first)->feature, "leaderboards");
  EXPECT_EQ(as<FeatureWithdrawn>(first)->message, "A little behind.");
  EXPECT_EQ(as<FeatureWithdrawn>(first)->reason,
            "quick-join burns its budget 14.4 times as fast as it may (limit 6.0)");
  EXPECT_FALSE(next_move(&world, {burn(14'400)}, kNoon + seconds(89))) << "within the dwell";
  const auto second = next_move(&world, {burn(14'400)}, kNoon + seconds(90));
  ASSERT_TRUE(as<FeatureWithdrawn>(second));
  EXPECT_EQ(as<FeatureWithdrawn>(second)->feature, "cosmetics") << "nothing withdraws gossip";
  ASSERT_TRUE(as<StressChanged>(next_move(&world, {burn(1'000)}, kNoon + seconds(100))));
  EXPECT_FALSE(next_move(&world, {burn(1'000)}, kNoon + seconds(399)));
  const auto back = next_move(&world, {burn(1'000)}, kNoon + seconds(400));
  ASSERT_TRUE(as<FeatureReturned>(back));
  EXPECT_EQ(as<FeatureReturned>(back)->feature, "cosmetics");
  const auto last = next_move(&world, {burn(1'000)}, kNoon + seconds(460));
  ASSERT_TRUE(as<FeatureReturned>(last));
  EXPECT_EQ(as<FeatureReturned>(last)->feature, "leaderboards");
  EXPECT_TRUE(world.services.find("matchmaking")->withdrawn.empty());
}

TEST(Degradation, SignsHaveHysteresis) {
  World world = world_with(matchmaking());
  EXPECT_FALSE(next_move(&world, {headroom(100)}, kNoon));
  ASSERT_TRUE(next_move(&world, {headroom(99)}, kNoon));
  EXPECT_FALSE(next_move(&world, {headroom(149)}, kNoon + seconds(1))) << "not well above it";
  const auto over = next_move(&world, {headroom(150)}, kNoon + seconds(2));
  ASSERT_TRUE(as<StressChanged>(over));
  EXPECT_FALSE(as<StressChanged>(over)->stressed);
}

TEST(Degradation, ADependencyIsDownByItsBreakerUntilThatIsClosed) {
  World world = world_with(matchmaking());
  world.services["grants"].breaker = BreakerState::Open;
  ASSERT_TRUE(as<StressChanged>(next_move(&world, {}, kNoon)));
  EXPECT_EQ(world.services.find("matchmaking")->stress_reason, "grants is down");
  world.services["grants"].breaker = BreakerState::HalfOpen;
  world.services["grants"].breaker_since = kNoon + seconds(1);
  EXPECT_FALSE(next_move(&world, {}, kNoon + seconds(1)));
  world.services["grants"].breaker = BreakerState::Closed;
  EXPECT_TRUE(as<StressChanged>(next_move(&world, {}, kNoon + seconds(2))));
}

// Its event was rolled back: no action calls it any more, so that nothing would ever close the
// breaker.
TEST(Degradation, ADependencyThatNobodyTriesIsNotDownForEver) {
  World world = world_with(matchmaking());
  world.services["grants"].breaker = BreakerState::Open;
  ASSERT_TRUE(as<StressChanged>(next_move(&world, {}, kNoon)));
  world.services["grants"].breaker = BreakerState::HalfOpen;
  world.services["grants"].breaker_since = kNoon + seconds(30);
  EXPECT_FALSE(as<StressChanged>(next_move(&world, {}, kNoon + seconds(89))));
  EXPECT_TRUE(as<StressChanged>(next_move(&world, {}, kNoon + seconds(90))));
  EXPECT_FALSE(world.services.find("matchmaking")->stressed);
}

// The server that measured has gone, or its numbers are not there yet.
TEST(Degradation, WhatIsNotShownAnyMoreNeitherTakesNorGives) {
  World world = world_with(matchmaking());
  ASSERT_TRUE(next_move(&world, {headroom(10)}, kNoon));
  ASSERT_TRUE(as<FeatureWithdrawn>(next_move(&world, {headroom(10)}, kNoon + seconds(30))));
  EXPECT_FALSE(next_move(&world, {}, kNoon + hours(1)));
  EXPECT_TRUE(as<FeatureWithdrawn>(next_move(&world, {headroom(10)}, kNoon + hours(1))));
}

TEST(Degradation, FeaturesOfAServiceThatIsGoneComeBack) {
  World world = world_with(matchmaking());
  ASSERT_TRUE(next_move(&world, {headroom(10)}, kNoon));
  ASSERT_TRUE(next_move(&world, {headroom(10)}, kNoon + seconds(30)));
  world.manifests.erase("Service/matchmaking");
  ASSERT_TRUE(as<FeatureReturned>(next_move(&world, {}, kNoon + seconds(31))));
  EXPECT_FALSE(next_move(&world, {}, kNoon + seconds(32)));
}

TEST(Degradation, AServiceWithoutFeaturesIsLetBe) {
  ServiceSpec spec = matchmaking();
  spec.features = {{"gossip", "", "", ""}};
  World world = world_with(std::move(spec));
  EXPECT_FALSE(next_move(&world, {headroom(0)}, kNoon));
}

void by_hand(World* world, Payload payload, Instant now) {
  Record record;
  record.seq = world->seq + 1;
  record.time = now;
  record.actor = "ann";
  record.payload = std::move(payload);
  ASSERT_TRUE(evolve(world, record));
}

Payload taken(const std::string& feature) {
  return FeatureWithdrawn{"matchmaking", feature, feature, "plain", "", "a hunch", {}, true};
}
Payload given(const std::string& feature) {
  return FeatureReturned{"matchmaking", feature, feature, "it is fine", true};
}

TEST(Degradation, WhatSomebodyTookOnlySomebodyGivesBack) {
  World world = world_with(matchmaking());
  by_hand(&world, taken("cosmetics"), kNoon);
  EXPECT_FALSE(next_move(&world, {burn(0)}, kNoon + hours(1))) << "calm, and nothing comes back";
  ASSERT_TRUE(as<StressChanged>(next_move(&world, {burn(14'400)}, kNoon + hours(2))));
  const Instant stressed = kNoon + hours(2);
  EXPECT_EQ(
      as<FeatureWithdrawn>(next_move(&world, {burn(14'400)}, stressed + seconds(30)))->feature,
      "leaderboards");
  EXPECT_EQ(
      as<FeatureWithdrawn>(next_move(&world, {burn(14'400)}, stressed + seconds(90)))->feature,
      "party-finder")
      << "cosmetics is away already";
  ASSERT_TRUE(next_move(&world, {burn(0)}, stressed + minutes(2)));
  const Instant calm = stressed + minutes(7);
  EXPECT_EQ(as<FeatureReturned>(next_move(&world, {burn(0)}, calm))->feature, "party-finder");
  EXPECT_EQ(as<FeatureReturned>(next_move(&world, {burn(0)}, calm + minutes(1)))->feature,
            "leaderboards");
  EXPECT_FALSE(next_move(&world, {burn(0)}, calm + hours(1)));
  EXPECT_EQ(world.services.find("matchmaking")->withdrawn.front().by, "ann");
  by_hand(&world, given("cosmetics"), calm + hours(2));
  EXPECT_TRUE(world.services.find("matchmaking")->withdrawn.empty());
}

TEST(Degradation, WhatSomebodyGaveBackUnderStressStaysUntilItIsOver) {
  World world = world_with(matchmaking());
  ASSERT_TRUE(next_move(&world, {burn(14'400)}, kNoon));
  ASSERT_TRUE(next_move(&world, {burn(14'400)}, kNoon + seconds(30)));
  by_hand(&world, given("leaderboards"), kNoon + seconds(40));
  EXPECT_FALSE(next_move(&world, {burn(14'400)}, kNoon + seconds(99))) << "a move as any other";
  EXPECT_EQ(as<FeatureWithdrawn>(next_move(&world, {burn(14'400)}, kNoon + seconds(100)))->feature,
            "cosmetics");
  ASSERT_TRUE(next_move(&world, {burn(0)}, kNoon + seconds(200)));
  EXPECT_TRUE(world.services.find("matchmaking")->kept.empty());
}

// Somebody wants it away for longer than the stress lasts.
TEST(Degradation, WhatTheEngineTookSomebodyMayKeepAway) {
  World world = world_with(matchmaking());
  ASSERT_TRUE(next_move(&world, {burn(14'400)}, kNoon));
  ASSERT_TRUE(next_move(&world, {burn(14'400)}, kNoon + seconds(30)));
  by_hand(&world, taken("leaderboards"), kNoon + seconds(31));
  EXPECT_EQ(world.services.find("matchmaking")->withdrawn.size(), 1u);
  ASSERT_TRUE(next_move(&world, {burn(0)}, kNoon + seconds(40)));
  EXPECT_FALSE(next_move(&world, {burn(0)}, kNoon + hours(1)));
}

// Whatever is measured: what is withdrawn is always the least important part, in order; two moves
// are never nearer than the dwell; nothing goes without stress and nothing comes back under it.
TEST(Degradation, IsOrderlyUnderAnyEvidence) {
  EXPECT_TRUE(rc::check([] {
    const ServiceSpec spec = matchmaking();
    World world = world_with(spec);
    Instant now = kNoon;
    std::optional<Instant> moved;
    for (int i = 0; i < 300; ++i) {
      now += Duration(*rc::gen::inRange(0, 60'000));
      std::vector<StressSign> signs;
      if (*rc::gen::inRange(0, 4) > 0) signs.push_back(burn(*rc::gen::inRange(0, 12'000)));
      if (*rc::gen::inRange(0, 4) > 0) signs.push_back(headroom(*rc::gen::inRange(50, 400)));
      const auto out = next_move(&world, signs, now);
      const ServiceState* state = world.services.find("matchmaking");
      if (as<FeatureWithdrawn>(out) || as<FeatureReturned>(out)) {
        RC_ASSERT(!moved || now - *moved >= spec.degradation.dwell);
        RC_ASSERT(state->stressed == (as<FeatureWithdrawn>(out) != nullptr));
        moved = now;
      }
      if (!state) continue;
      std::vector<std::string> expected;
      for (const FeatureSpec& feature : spec.features) {
        if (!feature.flag.empty() && expected.size() < state->withdrawn.size())
          expected.push_back(feature.name);
      }
      std::vector<std::string> withdrawn;
      for (const WithdrawnFeature& gone : state->withdrawn) withdrawn.push_back(gone.feature);
      RC_ASSERT(withdrawn == expected);
    }
  }));
}

}  // namespace
}  // namespace showcaller
