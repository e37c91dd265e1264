// SPDX-License-Identifier: Apache-2.0
// What a reader of docs/rehearse.md expects to see of a fault, or of a trait of the population,
// beside the same run without it.
#include <algorithm>

#include <gtest/gtest.h>

#include "sim/run.h"
#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

std::int64_t most_players(const RunResult& result) {
  std::int64_t most = 0;
  for (const Sample& sample : result.samples) most = std::max(most, sample.players);
  return most;
}

std::int64_t lines_with(const RunResult& result, std::string_view text) {
  return std::count_if(result.story.begin(), result.story.end(), [&](const std::string& line) {
    return line.find(text) != std::string::npos;
  });
}

double sessions_a_second(const StageResult& stage) {
  return double(stage.counts.sessions) / (double((stage.left - stage.entered).count()) / 1000);
}

TEST(FaultEffects, AHerdFillsTheFleet) {
  const RunResult calm = run(small_game(), true), herd = run(small_game("herd:3@1m"), true);
  EXPECT_GE(double(most_players(herd)), 1.8 * double(most_players(calm)));
  EXPECT_TRUE(herd.violations.empty());
}

TEST(FaultEffects, ALaunchSpikeComesWhenTheDoorsOpen) {
  RunSpec spec = small_game();
  const RunResult calm = run(spec, true);
  spec.population.launch_spike = 3;
  const RunResult spike = run(spec, true);
  EXPECT_EQ(spike.ending, Ending::Live) << spike.why;
  EXPECT_GE(double(most_players(spike)), 1.5 * double(most_players(calm)));
  EXPECT_NEAR(double(spike.samples.front().players), double(calm.samples.front().players), 100)
      << "before the doors open";
}

TEST(FaultEffects, WhomASessionFailedStaysAwayForTheDay) {
  RunSpec spec = small_game();
  spec.population.registered = 900;
  spec.population.crash_ppm = 100'000;
  spec.population.churn_ppm = 0;
  const RunResult forgiving = run(spec);
  spec.population.churn_ppm = 1'000'000;
  const RunResult churned = run(spec);
  ASSERT_FALSE(forgiving.stages.empty() || churned.stages.empty());
  EXPECT_LE(sessions_a_second(churned.stages.front()),
            0.7 * sessions_a_second(forgiving.stages.front()));
}

TEST(FaultEffects, ARegionThatIsCutOffIsNotSeenAndComesBack) {
  const RunResult result = run(small_game("partition@1m+4m/eu"), true);
  EXPECT_GT(lines_with(result, "its driver does not show it"), 0);
  EXPECT_GT(lines_with(result, "healthy again") + lines_with(result, "found running"), 0);
  EXPECT_TRUE(result.violations.empty());
}

TEST(FaultEffects, WithoutAddressesNothingMoreStarts) {
  const RunResult result = run(small_game("addresses:4"), true);
  EXPECT_GT(lines_with(result, "exited with 1 before it was ready"), 0);
  EXPECT_EQ(result.ending, Ending::NotReady) << result.why;
  EXPECT_EQ(result.counts.canary_sessions, 0) << "the canary has no instances";
}

TEST(FaultEffects, ADatabaseAtItsLimitRefusesSessions) {
  RunSpec spec = small_game("writes:0.4@1m");
  spec.seed = 5;  // Traffic is thin then, and in half of the seeds too thin for the canary to pass.
  const RunResult result = run(spec);
  const double best_a_second = spec.population.players / spec.population.session_players /
                               (double(spec.population.session.count()) / 1000);
  ASSERT_GE(result.stages.size(), 2u) << result.why;
  EXPECT_LE(sessions_a_second(result.stages.back()), 0.41 * best_a_second);
  EXPECT_GT(result.counts.refused, 100);
}

}  // namespace
}  // namespace showcaller::sim
