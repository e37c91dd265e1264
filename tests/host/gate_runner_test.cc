// SPDX-License-Identifier: Apache-2.0
// What becomes of a judged stage when the process that judges it starts again.
#include "host/gate_runner.h"

#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kFleet = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: join.latency, owner: ops }
spec: { type: quantile, unit: ms }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: ops }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [x] }, { version: 1.1.0, command: [x] } ]
  regions: [ { name: eu, zone: Europe/Berlin } ]
  capacity: { min: 40, max: 400, buffer: 20, canary_min: 4 }
  session: { length_max: 1m }
)";

constexpr const char* kEvent = R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
  rollout:
    stages:
      - { name: canary, exposure: 10%, bake: { min: 20m, max: 30m } }
      - { name: world, exposure: 100%, bake: 1m }
  analysis: { tick: 10s, warmup: 10s, profile: C }
  gates:
    - { metric: join.latency, quantile: 0.99, worse_by_at_most: 10%, on_fail: rollback }
    - { metric: session.crashed, worse_by_at_most: 0%, must_detect: 2x, on_fail: rollback }
)";

// In the middle of a canary whose latency gate knows its baseline.
class GateRunnerAfterARestart : public testing::Test {
 protected:
  GateRunnerAfterARestart() {
    const auto fleet = theatre_.apply("fleet.yaml", kFleet);
    EXPECT_TRUE(fleet) << fleet.error().message;
    theatre_.traffic.sessions_per_s = 20;
    theatre_.traffic.crash_share = {{"1.0.0", 0.02}, {"1.1.0", 0.02}};
    theatre_.traffic.reporting = {{.metric = "join.latency", .build = "1.0.0", .median_ms = 100},
                                  {.metric = "join.latency", .build = "1.1.0", .median_ms = 100}};
    theatre_.advance(minutes(1));
    const auto applied = theatre_.apply("gala.yaml", kEvent);
    EXPECT_TRUE(applied) << applied.error().message;
    theatre_.advance(minutes(3));
    EXPECT_EQ(gala().phase, Phase::RollingOut);
  }
  const EventState& gala() { return *theatre_.world()->event("gala"); }
  std::set<std::string> failed_gates() {
    std::set<std::string> failed;
    for (const Record& record : theatre_.take_records()) {
      const auto* verdict = std::get_if<VerdictChanged>(&record.payload);
      if (verdict && verdict->verdict == VerdictName::Fail && !verdict->gate.empty())
        failed.insert(verdict->gate);
    }
    return failed;
  }

  Theatre theatre_;
};

// After a restart nothing is known of the baseline's latency: the stage as it was frozen counts,
// not the one that could be made now.
TEST_F(GateRunnerAfterARestart, EachGateIsFedItsOwnMetricThoughABaselineIsForgotten) {
  theatre_.restart(seconds(30));
  (void)theatre_.take_records();
  theatre_.traffic.reporting.back().median_ms = 400;
  theatre_.advance(minutes(5));
  EXPECT_EQ(failed_gates(), std::set<std::string>{"join.latency.p99"});
  EXPECT_EQ(gala().phase, Phase::RolledBack);
}

}  // namespace
}  // namespace showcaller::test
