// SPDX-License-Identifier: Apache-2.0
// Alerts in the simulator, where the production engine and host have them too.
#include <gtest/gtest.h>

#include "engine/alert_plan.h"
#include "engine/view.h"
#include "model/manifest/manifest.h"
#include "sim/run.h"
#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

// The game as it is loses one session in a hundred: half of what the objective allows.
constexpr const char* kService = R"(
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: matches, owner: raids }
spec: { slos: [ { name: stays-up, metric: session.crashed, objective: "98%" } ] }
)";

class Pages final : public RunWatcher {
 public:
  void note(const Record& record, Duration) override {
    if (calls_somebody(record.payload)) pages.push_back(record_line(record));
    if (const auto* changed = std::get_if<AlertChanged>(&record.payload)) {
      escalated += changed->move == AlertMove::Escalated ? 1 : 0;
      acknowledged += changed->move == AlertMove::Acknowledged ? 1 : 0;
    }
  }
  std::optional<std::string> look(const RunMoment&) override { return std::nullopt; }
  bool waits(Duration) const override { return false; }

  std::vector<std::string> pages;
  int escalated = 0, acknowledged = 0;
};

RunSpec watched_game(const std::string& faults, RehearsalLevel level) {
  RunSpec spec = small_game(faults);
  const SourceFile source{"service.yaml", kService};
  ParseOutcome parsed = parse_manifests(std::span(&source, 1), {});
  EXPECT_EQ(parsed.manifests.size(), 1u) << format_findings(parsed.findings, {&source, 1});
  for (Manifest& manifest : parsed.manifests)
    spec.manifests.insert(spec.manifests.end() - 1,
                          std::make_shared<const Manifest>(std::move(manifest)));
  spec.level = level;
  return spec;
}

// Every instance dies at once, and players feel it: whatever is told of it is told on one page.
TEST(AlertStory, AStormOfFailuresIsOnePage) {
  for (const RehearsalLevel level : {RehearsalLevel::Session, RehearsalLevel::Evidence}) {
    RunSpec spec = watched_game("instance_loss:1", level);
    Pages watcher;
    spec.watcher = &watcher;
    (void)run(spec);
    EXPECT_EQ(watcher.pages.size(), 1u) << to_string(level);
  }
}

// People answer their pages in the end; where nobody does, the next ones are called.
TEST(AlertStory, WhatNobodyAnswersGoesUpThePath) {
  for (const bool absent : {false, true}) {
    RunSpec spec = watched_game(absent ? "instance_loss:1,no_answer" : "instance_loss:1",
                                RehearsalLevel::Session);
    spec.population.answer = seconds(absent ? 0 : 10);
    Pages watcher;
    spec.watcher = &watcher;
    (void)run(spec);
    EXPECT_EQ(watcher.acknowledged > 0, !absent);
    EXPECT_EQ(watcher.escalated > 0, absent);
  }
}

// The next alert has another id than any that a spec could name.
TEST(AlertStory, OperatorsTakeTheOldestAlert) {
  RunSpec spec = watched_game("instance_loss:1,no_answer", RehearsalLevel::Session);
  const auto in_rollout = [&](CommandBody body, Duration after) {
    spec.commands.push_back({Phase::RollingOut, after, std::move(body)});
  };
  in_rollout(AlertCommand{"", AlertVerb::Own, "bob"}, minutes(3));
  in_rollout(AlertCommand{"", AlertVerb::Acknowledge}, minutes(3));
  in_rollout(SilenceCommand{"Service/matches", "", minutes(1)}, minutes(3));
  in_rollout(UnsilenceCommand{""}, minutes(3));
  in_rollout(FeatureCommand{false, "lobby", "news"}, minutes(3));
  in_rollout(FeatureCommand{true, "lobby", "news"}, minutes(3));
  const RunResult result = run(spec);
  EXPECT_EQ(result.sent.size(), spec.commands.size());
  for (const SentCommand& sent : result.sent) EXPECT_TRUE(sent.accepted) << sent.index;
  EXPECT_TRUE(result.violations.empty());
}

TEST(AlertStory, NobodyIsCalledWhereNothingIsWrong) {
  for (const RehearsalLevel level : {RehearsalLevel::Session, RehearsalLevel::Evidence}) {
    RunSpec spec = watched_game("", level);
    Pages watcher;
    spec.watcher = &watcher;
    (void)run(spec);
    EXPECT_TRUE(watcher.pages.empty()) << to_string(level) << ": " << watcher.pages.front();
  }
}

}  // namespace
}  // namespace showcaller::sim
