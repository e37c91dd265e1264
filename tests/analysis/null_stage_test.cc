// SPDX-License-Identifier: Apache-2.0
// What a plan says of false rollbacks, held against the gate in the worlds it is measured in.
#include "analysis/null_stage.h"

#include <gtest/gtest.h>

#include "tests/analysis/simulated_world.h"

namespace showcaller {
namespace {

NullStage stage_of(test::World world, double per_s, GateProfile profile) {
  test::WorldConfig config;
  config.world = world;
  config.sessions_per_s = per_s;
  config.profile = profile;
  return {test::gate_config_of(config), {config.error_rate, config.crash_rate, 0}, per_s, 4, 16};
}

constexpr NullBudget kBudget{.runs_max = 300, .series_looks_max = 200'000};

TEST(NullStage, TheGuaranteedProfileKeepsItsWord) {
  for (const test::World world : {test::World::Clean, test::World::Fleet}) {
    const NullRate rate = simulate_null(stage_of(world, 100, GateProfile::Guaranteed), kBudget);
    EXPECT_EQ(rate.runs, 300);
    EXPECT_LE(rate.low, 0.01) << test::name_of(world) << ": " << rate.rolled_back;
  }
}

TEST(NullStage, IsOneAnswerForOnePlan) {
  const NullStage stage = stage_of(test::World::Clean, 20, GateProfile::Calibrated);
  const NullBudget budget{.runs_max = 40};
  EXPECT_EQ(simulate_null(stage, budget).strictness, simulate_null(stage, budget).strictness);
}

// The strictness that is told for a share gives that share, on other seeds.
TEST(NullStage, TheStrictnessItTellsMakesFalseRollbacksAsRareAsAsked) {
  NullStage stage = stage_of(test::World::Clean, 100, GateProfile::Calibrated);
  const NullRate before = simulate_null(stage, kBudget);
  stage.config.strictness = before.strictness_for(0.01);
  EXPECT_GE(stage.config.strictness, 1);
  NullBudget other = kBudget;
  other.seed = 2;
  const NullRate after = simulate_null(stage, other);
  EXPECT_LE(after.low, 0.01) << after.rolled_back;
  EXPECT_LE(
      after.rolled_back,
      simulate_null(stage_of(test::World::Clean, 100, GateProfile::Calibrated), other).rolled_back);
}

// Too few runs tell nothing of rare things.
TEST(NullStage, DoesNotGuess) {
  const NullBudget few{.runs_max = 50};
  const NullRate rate =
      simulate_null(stage_of(test::World::Clean, 20, GateProfile::Calibrated), few);
  EXPECT_EQ(rate.strictness_for(0.02), 0);
  EXPECT_GT(rate.high, 0.02);
}

// Strictness is kept by the gate itself: more of it, and a fault takes longer.
TEST(NullStage, AStricterGateIsSlower) {
  const auto found_at = [](double strictness) {
    test::WorldConfig config;
    config.fault.error_ratio = 2;
    config.profile = GateProfile::Calibrated;
    std::int64_t sum = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      test::SimulatedWorld world(config, seed);
      GateConfig gate = test::gate_config_of(config);
      gate.strictness = strictness;
      GateState state(gate);
      while (state.feed(world.next()) != Verdict::Fail && state.t_s() < config.planned_s) {
      }
      sum += state.t_s();
    }
    return sum;
  };
  EXPECT_LT(found_at(1), found_at(100));
}

}  // namespace
}  // namespace showcaller
