// SPDX-License-Identifier: Apache-2.0
// Whole rehearsal runs: what is well goes live, what harms players is undone, what cannot be undone
// says so, and what must always hold does, whatever goes wrong. A run follows from its spec alone.
#include "sim/run.h"

#include <gtest/gtest.h>

#include "model/manifest/manifest.h"
#include "sim/rehearsal.h"

namespace showcaller::sim {
namespace {

constexpr const char* kHouse = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: raids, owner: raids }
spec: { members: [ann, bob] }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: grants, owner: raids }
spec: { url: "http://127.0.0.1:1/api" }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: session.error, owner: raids }
spec: { type: binary, better: lower }
---
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house-rules, owner: raids }
spec:
  approvals: [ { name: second, when: { risk: [high] }, count: 1 } ]
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: raids }
spec:
  base: 1.0.0
  builds:
    - { version: 1.0.0, command: [raid, --old] }
    - { version: 1.1.0, command: [raid, --new] }
  regions: [ { name: eu, zone: Europe/Berlin, hosts: [eu-1, eu-2] }, { name: na, zone: America/Chicago } ]
  capacity: { min: 40, max: 300, buffer: 30, canary_min: 6 }
  session: { length_max: 4m }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: raids }
spec:
  risk: high
  changes:
    - build: { fleet: raid, version: 1.1.0 }
    - action: { do: grants/open, undo: grants/close }
  rollout:
    unit: party
    stages:
      - { name: canary, exposure: 20%, bake: { min: 5m, max: 40m } }
      - { name: world, exposure: 100%, bake: 1m, gated: false }
  analysis: { tick: 10s, warmup: 20s, profile: C }
  gates:
    - { metric: session.crashed, worse_by_at_most: 0%, must_detect: 8x, on_fail: rollback }
    - { metric: session.error, worse_by_at_most: 0%, must_detect: 5x, on_fail: rollback }
  rollback: { sessions: { drain: 5m, then: leave }, within: 30m }
)";

RunSpec spec_of(const std::string& faults = "") {
  const SourceFile source{"house.yaml", kHouse};
  ParseOutcome parsed = parse_manifests(std::span(&source, 1), {});
  EXPECT_TRUE(parsed.ok()) << format_findings(parsed.findings, std::span(&source, 1));
  RunSpec spec;
  for (Manifest& manifest : parsed.manifests)
    spec.manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  spec.event = "gala";
  std::vector<Finding> findings;
  auto population =
      read_population({"people.yaml",
                       "players: 900\nsession: { length: 90s, players: 4, crashes: 1% }\n"
                       "shocks_per_hour: 0\nhouse: { approval: 1m }\n"},
                      &findings);
  EXPECT_TRUE(population);
  spec.population = fitted(*population, spec.manifests);
  spec.start = parse_instant("2026-06-01T12:00:00Z").value();
  spec.watched = minutes(3);
  for (std::size_t from = 0; from < faults.size();) {
    const std::size_t comma = std::min(faults.find(',', from), faults.size());
    auto fault = parse_fault(faults.substr(from, comma - from));
    EXPECT_TRUE(fault) << fault.error().message;
    spec.faults.push_back(*fault);
    from = comma + 1;
  }
  return spec;
}

RunResult rehearsed(const std::string& faults, std::uint64_t seed = 1) {
  RunSpec spec = spec_of(faults);
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
  RunSpec spec = spec_of("lies,crashes:15@1m,duplicates");
  const RunResult once = run(spec), again = run(spec, true);
  EXPECT_EQ(once.hash, again.hash);
  EXPECT_FALSE(again.story.empty());
  EXPECT_FALSE(again.evidence.empty());
  spec.seed = 2;
  EXPECT_NE(run(spec).hash, once.hash);
}

}  // namespace
}  // namespace showcaller::sim
