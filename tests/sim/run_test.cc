// SPDX-License-Identifier: Apache-2.0
// Whole rehearsal runs: what is well goes live, what harms players is undone, what cannot be undone
// says so, and what must always hold does, whatever goes wrong. A run follows from its spec alone.
#include "sim/run.h"

#include <gtest/gtest.h>

#include "tests/sim/operator_verbs.h"
#include "tests/sim/scenarios.h"
#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

TEST(Rehearsal, ComesToWhatItMust) {
  for (const Scenario& scenario : scenarios()) {
    for (const std::string& wrong : scenario.wrong_with(run(scenario.spec)))
      ADD_FAILURE() << scenario.name << ": " << wrong;
  }
}

TEST(Rehearsal, TellsWhatACommandMet) {
  RunSpec spec = small_game("duplicates,herd@1m");
  Random random(1);
  spec.commands = {scheduled(OperatorVerb::Promote, Phase::Validated, {}, &random),
                   scheduled(OperatorVerb::Rollback, Phase::RollingOut, minutes(2), &random)};
  const RunResult result = run(spec);
  EXPECT_EQ(result.ending, Ending::RolledBack) << result.why;
  ASSERT_EQ(result.sent.size(), 2u);
  EXPECT_EQ(result.sent[0].phase, Phase::Validated);
  EXPECT_FALSE(result.sent[0].accepted);
  EXPECT_EQ(result.sent[0].faults, std::vector{FaultKind::Duplicates});
  EXPECT_EQ(result.sent[1].phase, Phase::RollingOut);
  EXPECT_TRUE(result.sent[1].accepted);
  EXPECT_EQ(result.sent[1].faults, (std::vector{FaultKind::Duplicates, FaultKind::Herd}));
}

TEST(Rehearsal, EqualSpecsGiveEqualRuns) {
  RunSpec spec = small_game("lies,crashes:15@1m,duplicates");
  const RunResult once = run(spec), again = run(spec, true);
  EXPECT_EQ(once.hash, again.hash);
  EXPECT_FALSE(again.story.empty());
  EXPECT_FALSE(again.evidence.empty());
  spec.seed = 2;
  EXPECT_NE(run(spec).hash, once.hash);
}

// The invariants of every run hold the order and the pace of it (engine/invariants.cc).
TEST(Rehearsal, AServiceUnderStressDoesWithoutForAWhile) {
  const RunResult result = run(small_game("herd@1m"), true);
  const auto tells = [&](std::string_view what) {
    return std::ranges::any_of(result.story, [&](const std::string& line) {
      return line.find(what) != std::string::npos;
    });
  };
  EXPECT_TRUE(tells("withdrawn    lobby news"));
  EXPECT_TRUE(tells("returned     lobby news"));
}

}  // namespace
}  // namespace showcaller::sim
