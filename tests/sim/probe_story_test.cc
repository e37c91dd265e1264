// SPDX-License-Identifier: Apache-2.0
// Probes in the simulator: its services answer the journeys that the host has made, and an event is
// ready when they are good, though nobody says so by hand.
#include <gtest/gtest.h>

#include "engine/view.h"
#include "model/manifest/manifest.h"
#include "sim/run.h"
#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

constexpr const char* kProbe = R"(
apiVersion: showcaller.dev/v1
kind: Probe
metadata: { name: enter, owner: raids }
spec:
  every: 10s
  timeout: 5s
  steps:
    - http: { url: "http://127.0.0.1:1/enter" }
)";

class Readiness final : public RunWatcher {
 public:
  void note(const Record& record, Duration) override {
    const auto* changed = std::get_if<ReadinessChanged>(&record.payload);
    if (changed && changed->check == "probe:enter") told.push_back(record);
  }
  std::optional<std::string> look(const RunMoment&) override { return std::nullopt; }
  bool waits(Duration) const override { return false; }

  std::vector<Record> told;
};

RunSpec probed_game() {
  RunSpec spec = small_game("");
  const SourceFile source{"probe.yaml", kProbe};
  ParseOutcome parsed = parse_manifests(std::span(&source, 1), {});
  EXPECT_TRUE(parsed.ok());
  json::object document = spec.manifests.back()->document;
  document["spec"].as_object()["readiness"] = json::object{{"probes", json::array{"enter"}}};
  spec.manifests.back() = std::make_shared<const Manifest>(manifest_from_json(document).value());
  spec.manifests.insert(spec.manifests.end() - 1,
                        std::make_shared<const Manifest>(std::move(parsed.manifests.front())));
  return spec;
}

TEST(ProbeStory, TheSimulatorsServicesAnswer) {
  RunSpec spec = probed_game();
  Readiness watcher;
  spec.watcher = &watcher;
  const RunResult result = run(spec);
  EXPECT_EQ(result.ending, Ending::Live) << result.why;
  ASSERT_FALSE(watcher.told.empty());
  EXPECT_TRUE(std::get<ReadinessChanged>(watcher.told.front().payload).ready);
  EXPECT_EQ(watcher.told.front().actor, kEngineActor) << "nobody reported it by hand";
}

}  // namespace
}  // namespace showcaller::sim
