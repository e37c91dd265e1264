// SPDX-License-Identifier: Apache-2.0
// What a judged stage's stream of evidence begins with, and what becomes of it when the process
// that judges it starts again.
#include "host/gate_runner.h"

#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "analysis/gate_stream.h"
#include "engine/baseline_sources.h"
#include "engine/view.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kGateFleet = R"(
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
  builds:
    - { version: 1.0.0, command: [x] }
    - { version: 1.1.0, command: [x] }
    - { version: 1.2.0, command: [x] }
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
  analysis: { tick: 10s, warmup: 10s, profile: C, instances_min: 5 }
  gates:
    - { metric: join.latency, quantile: 0.99, worse_by_at_most: 10%, on_fail: rollback }
    - { metric: session.crashed, worse_by_at_most: 0%, must_detect: 2x, on_fail: rollback }
)";

// Every line of a stream.
std::vector<json::object> lines_of(EvidenceStore* store, const std::string& stream) {
  std::vector<json::object> out;
  EXPECT_TRUE(store->read(stream, [&](std::string_view line, const EvidenceMark&) {
    out.push_back(parse_json(line)->as_object());
    return true;
  }));
  return out;
}

std::vector<json::object> history_in(const std::vector<json::object>& lines) {
  std::vector<json::object> out;
  for (const json::object& line : lines) {
    if (line.contains("t") && get_int(line, "t") <= 0) out.push_back(line);
  }
  return out;
}

// In the middle of a canary whose latency gate knows its baseline.
class GateRunnerAfterARestart : public testing::Test {
 protected:
  GateRunnerAfterARestart() {
    const auto fleet = theatre_.apply("fleet.yaml", kGateFleet);
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

  // Units that the groups of a line have of a gate.
  static std::int64_t units_in(const json::object& line, const char* gate) {
    std::int64_t sum = 0;
    for (const json::value& group : line.at("groups").as_array()) {
      EXPECT_EQ(get_string(group.as_object(), "arm"), "baseline");
      if (const auto* counts = group.at("m").as_object().if_contains(gate))
        sum += counts->at(0).as_int64();
    }
    return sum;
  }

  MemoryEvidenceStore store_;
  Theatre theatre_{1, &store_};
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

TEST_F(GateRunnerAfterARestart, AStreamBeginsWithTheHourBefore) {
  const auto lines = lines_of(&store_, "gala/r1/v1");
  ASSERT_GT(lines.size(), 3u);
  EXPECT_TRUE(lines[0].contains("stage"));
  EXPECT_EQ(get_int(lines[1], "t", 7), 0);
  EXPECT_GT(units_in(lines[1], "session.crashed"), 200);
  EXPECT_GT(units_in(lines[1], "join.latency.p99"), 200);
  EXPECT_EQ(history_in(lines).size(), 1u);
  // It is what the stage was begun with: a restart adds no other.
  theatre_.restart(seconds(30));
  theatre_.advance(minutes(1));
  EXPECT_EQ(history_in(lines_of(&store_, "gala/r1/v1")).size(), 1u);
}

TEST_F(GateRunnerAfterARestart, TheStageIsJudgedAsItsManifestAsks) {
  const json::object stage = lines_of(&store_, "gala/r1/v1").at(0).at("stage").as_object();
  EXPECT_EQ(get_int(stage, "warmup_s"), 10);
  EXPECT_EQ(get_int(stage, "canary_instances_min"), 5);
  EXPECT_EQ(get_int(stage, "planned_s"), 1800);
  EXPECT_EQ(get_string(stage, "profile"), "C");
  const json::object latency = stage.at("metrics").at(0).as_object();
  EXPECT_NEAR(get_double(latency, "divided_by"), 1.09, 0.01);
  EXPECT_NEAR(get_double(latency, "scaled_by"), 1.25, 0.02);
}

TEST(Warmup, IsAsAskedForAndAtMostHalfOfWhatIsPlanned) {
  const AnalysisSpec analysis{.warmup = seconds(150)};
  EXPECT_EQ(warmup_s_of(analysis, 3600), 150);
  EXPECT_EQ(warmup_s_of(analysis, 300), 150);
  EXPECT_EQ(warmup_s_of(analysis, 200), 100);
}

// The same gate, over the same lines.
TEST_F(GateRunnerAfterARestart, ARecordedStreamIsJudgedAlikeByGateJudge) {
  theatre_.traffic.reporting.back().median_ms = 400;
  theatre_.advance(minutes(5));
  ASSERT_EQ(gala().phase, Phase::RolledBack);
  std::stringstream in, out, err;
  for (const json::object& line : lines_of(&store_, "gala/r1/v1")) in << to_json_text(line) << "\n";
  EXPECT_EQ(judge_stream(in, out, err), kJudgeFail) << err.str();
}

// What a process that just started does not know it does not say.
TEST_F(GateRunnerAfterARestart, AStageThatBeginsThenHasTheHistoryThatCameSince) {
  theatre_.restart(seconds(30));
  theatre_.advance(seconds(30));
  ASSERT_TRUE(theatre_.command(EventCommand{"gala", EventVerb::Rollback}));
  theatre_.advance(minutes(1));
  theatre_.restart(seconds(1));
  const std::string again = std::string(kEvent).replace(std::string(kEvent).find("20m"), 3, "21m");
  const auto applied = theatre_.apply("gala.yaml", again);
  ASSERT_TRUE(applied) << applied.error().message;
  theatre_.advance(seconds(30));
  ASSERT_EQ(gala().phase, Phase::RollingOut);
  const auto history = history_in(lines_of(&store_, fmt::format("gala/r2/v{}", gala().visit)));
  ASSERT_LE(history.size(), 1u);
  for (const json::object& line : history) EXPECT_LT(units_in(line, "session.crashed"), 600);
}

// A gate that waits for its baseline joins the watch, also one that was opened again after a
// restart, with the history of its own metric; what was judged stays judged.
TEST_F(GateRunnerAfterARestart, AGateJoinsAWatchThatWasOpenedAgain) {
  MemoryEvidenceStore store;
  Theatre theatre(2, &store);
  ASSERT_TRUE(theatre.apply("fleet.yaml", kGateFleet));
  theatre.traffic = theatre_.traffic;
  theatre.traffic.reporting.clear();  // Nobody tells of latencies yet.
  theatre.advance(minutes(1));
  ASSERT_TRUE(theatre.apply("gala.yaml", kEvent));
  theatre.advance(minutes(2));
  theatre.restart(seconds(30));
  theatre.traffic.reporting = theatre_.traffic.reporting;
  theatre.traffic.reporting.back().median_ms = 400;
  (void)theatre.take_records();
  theatre.advance(minutes(5));
  const auto lines = lines_of(&store, "gala/r1/v1");
  const auto history = history_in(lines);
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(units_in(history[1], "session.crashed"), 0);
  EXPECT_GT(units_in(history[1], "join.latency.p99"), 100);
  EXPECT_EQ(theatre.world()->event("gala")->phase, Phase::RolledBack);
}

std::string event_of_build(const std::string& name, const std::string& build, int priority,
                           const std::string& exposure) {
  return fmt::format(R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: {{ name: {}, owner: ops }}
spec:
  priority: {}
  changes: [ {{ build: {{ fleet: raid, version: {} }} }} ]
  rollout: {{ stages: [ {{ name: some, exposure: {}, bake: 20m, gated: false }}, {{ name: world, exposure: 100%, bake: 1m, gated: false }} ] }}
)",
                     name, priority, build, exposure);
}

// What is being rolled out is nobody's baseline; what is live to everybody is.
TEST(BaselineSources, AreTheBuildsThatTheBaselineArmIsGiven) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("fleet.yaml", kGateFleet));
  theatre.traffic.sessions_per_s = 5;
  theatre.advance(minutes(1));
  const auto applied = theatre.apply("low.yaml", event_of_build("low", "1.1.0", 10, "10%"));
  ASSERT_TRUE(applied) << applied.error().message;
  theatre.advance(minutes(2));
  ASSERT_EQ(theatre.world()->event("low")->phase, Phase::RollingOut);
  const auto high = theatre.apply("high.yaml", event_of_build("high", "1.2.0", 20, "10%"));
  ASSERT_TRUE(high) << high.error().message;
  const std::vector<BaselineSource> base{{"raid", "1.0.0", ""}};
  EXPECT_EQ(baseline_sources(*theatre.world(), "high"), base);
  EXPECT_EQ(baseline_sources(*theatre.world(), "low"), base);
  EXPECT_EQ(baseline_sources(*theatre.world()), base);
  theatre.advance(minutes(30));
  ASSERT_TRUE(theatre.world()->event("low")->phase == Phase::Live) << fmt::format(
      "{}", fmt::join(waits_for(*theatre.world(), "low", theatre.host().engine().now()), "; "));
  const std::vector<BaselineSource> live{{"raid", "1.1.0", ""}};
  EXPECT_EQ(baseline_sources(*theatre.world(), "high"), live);
  EXPECT_EQ(baseline_sources(*theatre.world(), "low"), base);
}

class LearnedNoiseTest : public testing::Test {
 protected:
  LearnedNoiseTest() {
    EXPECT_TRUE(theatre_.apply("fleet.yaml", kGateFleet));
    theatre_.traffic.sessions_per_s = 20;
    theatre_.traffic.crash_share = {{"1.0.0", 0.02}, {"1.1.0", 0.02}};
    theatre_.traffic.reporting = {{.metric = "join.latency", .build = "1.0.0", .median_ms = 100},
                                  {.metric = "join.latency", .build = "1.1.0", .median_ms = 100}};
    theatre_.advance(minutes(1));
  }
  // A rollout of some minutes; what its stage's header says of a metric's prior.
  NoisePrior rollout(const std::string& name) {
    std::string text = kEvent;
    text.replace(text.find("gala"), 4, name);
    const auto applied = theatre_.apply(name + ".yaml", text);
    EXPECT_TRUE(applied) << applied.error().message;
    theatre_.advance(minutes(6));
    EXPECT_EQ(theatre_.world()->event(name)->phase, Phase::RollingOut);
    const json::object header = lines_of(&store_, name + "/r1/v1").at(0);
    EXPECT_TRUE(theatre_.command(EventCommand{name, EventVerb::Rollback}));
    theatre_.advance(minutes(1));
    EXPECT_EQ(theatre_.world()->event(name)->phase, Phase::RolledBack);
    for (const json::value& metric : header.at("stage").at("metrics").as_array()) {
      const json::object& of = metric.as_object();
      if (get_string(of, "name") != "join.latency.p99" || !of.contains("prior")) continue;
      return {get_double(of.at("prior").as_object(), "tau"),
              get_double(of.at("prior").as_object(), "nu")};
    }
    return {};
  }

  MemoryEvidenceStore store_;
  Theatre theatre_{3, &store_};
};

TEST_F(LearnedNoiseTest, ARolloutBeginsWithWhatOthersTaughtAlsoAfterARestart) {
  const NoisePrior first = rollout("one");
  EXPECT_EQ(first, NoisePrior{});
  const NoisePrior second = rollout("two");
  EXPECT_GT(second.nu, first.nu);
  EXPECT_LT(second.tau, first.tau);  // These instances are alike.
  theatre_.restart(seconds(30));
  theatre_.advance(minutes(1));
  const NoisePrior third = rollout("three");
  EXPECT_GT(third.nu, second.nu);
  EXPECT_LE(third.nu, 40);
  EXPECT_EQ(lines_of(&store_, "fleet/raid/noise").size(), 3u);
}

TEST_F(LearnedNoiseTest, WhatCantBeReadIsPassedOverAndTold) {
  (void)rollout("one");
  const auto broken = {R"({"rollout":"x/r1","learned":{"join.latency":{"tau":-1,"nu":7}}})",
                       R"({"rollout":"x/r1"})", "no JSON"};
  for (const char* line : broken) ASSERT_TRUE(store_.append("fleet/raid/noise", line));
  theatre_.restart(seconds(30));
  theatre_.advance(minutes(1));
  EXPECT_GT(rollout("two").nu, 6);
  const bool told = std::any_of(theatre_.errors.begin(), theatre_.errors.end(), [](const Error& e) {
    return e.message.starts_with("3 lines of fleet/raid/noise can't be read");
  });
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace showcaller::test
