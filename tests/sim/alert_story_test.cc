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

constexpr const char* kService = R"(
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: matches, owner: raids }
spec: { fleets: [raid], slos: [ { name: stays-up, metric: session.crashed, objective: "99.9%" } ] }
)";

class Pages final : public RunWatcher {
 public:
  void note(const Record& record, Duration) override {
    if (calls_somebody(record.payload)) pages.push_back(record_line(record));
  }
  std::optional<std::string> look(const RunMoment&) override { return std::nullopt; }
  bool waits(Duration) const override { return false; }

  std::vector<std::string> pages;
};

RunSpec watched_game(const std::string& faults, RehearsalLevel level) {
  RunSpec spec = small_game(faults);
  const SourceFile source{"service.yaml", kService};
  ParseOutcome parsed = parse_manifests(std::span(&source, 1), {});
  for (Manifest& manifest : parsed.manifests)
    spec.manifests.insert(spec.manifests.end() - 1,
                          std::make_shared<const Manifest>(std::move(manifest)));
  spec.level = level;
  return spec;
}

// Every instance dies at once, and players feel it: whatever is told of it is told on one page.
TEST(AlertStory, AStormOfFailuresIsOnePage) {
  RunSpec spec = watched_game("instance_loss:1", RehearsalLevel::Session);
  spec.seed =
      2;  // In such a small game half of the seeds burn no budget that anybody is called for.
  Pages watcher;
  spec.watcher = &watcher;
  (void)run(spec);
  EXPECT_EQ(watcher.pages.size(), 1u);
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
