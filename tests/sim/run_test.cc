// SPDX-License-Identifier: Apache-2.0
// Whole rehearsal runs: what is well goes live, what harms players is undone, what cannot be undone
// says so, and what must always hold does, whatever goes wrong. A run follows from its spec alone.
#include "sim/run.h"

#include <gtest/gtest.h>

#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

RunResult rehearsed(const std::string& faults, std::uint64_t seed = 1) {
  RunSpec spec = small_game(faults);
  spec.seed = seed;
  RunResult result = run(spec);
  for (const std::string& violation : result.violations)
    ADD_FAILURE() << faults << ": " << violation;
  return result;
}

TEST(Rehearsal, WhatIsWellGoesLive) {
  const RunResult result = rehearsed("");
  EXPECT_EQ(result.ending, Ending::Live) << result.why;
  ASSERT_EQ(result.stages.size(), 2u);
  EXPECT_GT(result.stages[0].counts.canary_sessions, 0);
  EXPECT_EQ(result.counts.harmed_players, 0);
}

TEST(Rehearsal, WhatHarmsPlayersIsUndone) {
  for (const char* fault : {"crashes:15", "errors:20"}) {
    const RunResult result = rehearsed(fault);
    EXPECT_EQ(result.ending, Ending::RolledBack) << fault << ": " << result.why;
    ASSERT_TRUE(result.fired);
    EXPECT_EQ(result.fired->gate, fault[0] == 'c' ? "session.crashed" : "session.error");
    EXPECT_TRUE(result.to_rolled_back);
    EXPECT_GT(result.counts.harmed_players, 0);
    EXPECT_GT(result.ledger_players, 0);
  }
}

TEST(Rehearsal, WhatCannotBeUndoneIsStuckAndNamed) {
  const RunResult result = rehearsed("crashes:15,undo_fails");
  EXPECT_EQ(result.ending, Ending::Stuck);
  EXPECT_NE(result.why.find("grants/open"), std::string::npos) << result.why;
  EXPECT_FALSE(result.pages.empty());
}

TEST(Rehearsal, WithoutApprovalNobodyIsLetIn) {
  const RunResult result = rehearsed("no_approval");
  EXPECT_EQ(result.ending, Ending::NotReady);
  EXPECT_EQ(result.counts.canary_sessions, 0);
}

// Trouble that is nobody's fault on the canary: whatever comes of it, what must hold does.
TEST(Rehearsal, PromisesHoldWhateverGoesWrong) {
  for (const char* faults :
       {"restart@1m", "disk_full@1m", "torn_write@1m", "clock_jump@1m", "duplicates", "lies",
        "instance_loss:0.5@1m", "host_loss@1m", "region_loss@1m+3m/na", "quota:60", "slow_start",
        "herd@1m+3m", "blind@1m+2m", "split", "leak:3", "crashes:15,restart@2m,lies:0.1"}) {
    const RunResult result = rehearsed(faults);
    EXPECT_NE(result.ending, Ending::Stuck) << faults << ": " << result.why;
  }
}

TEST(Rehearsal, WhileBlindNothingAdvances) {
  const RunResult result = rehearsed("blind@30s+10h");
  EXPECT_NE(result.ending, Ending::Live) << result.why;
  EXPECT_EQ(result.stages.size(), 1u);
}

TEST(Rehearsal, ABrokenSplitIsNotTrusted) {
  const RunResult result = rehearsed("split:0.8");
  EXPECT_NE(result.ending, Ending::Live) << result.why;
  ASSERT_TRUE(result.fired);
  EXPECT_EQ(result.fired->verdict, "skewed");
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

}  // namespace
}  // namespace showcaller::sim
