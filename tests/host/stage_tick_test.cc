// SPDX-License-Identifier: Apache-2.0
// A tick's line: what is read out of it again after a restart is what was judged when it was new.
#include "host/stage_tick.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

JudgedStage stage_of(std::vector<GateMetric> metrics) {
  JudgedStage stage;
  stage.event = "raid";
  for (const GateMetric& metric : metrics) stage.metric_of[metric.name] = metric.name;
  stage.config.metrics = std::move(metrics);
  stage.config.share = 0.05;
  stage.absolute = {{"errors", "error"}, {"room", std::string(kHeadroomMetric)}, {"late", "late"}};
  return stage;
}

const GateMetric kError{.name = "error"};
const GateMetric kLate{
    .name = "late", .kind = MetricKind::Quantile, .at = {0.5, 0.99}, .cuts = {40, 250}};

StageTick counted() {
  StageTick out;
  MetricCounts late;
  late.histogram.emplace().record(300, 7);
  out.metrics["error"] = {{{Arm::Canary, "3", "eu"}, {50, 1, {}}},
                          {{Arm::Baseline, "4", ""}, {900, 12, {}}}};
  out.metrics["late"] = {{{Arm::Canary, "3", "eu"}, late}};
  out.trust = {{"error", Trust::Server}, {"late", Trust::Client}};
  out.alive = {{Arm::Canary, "9", ""}};
  return out;
}

void expect_equal(const StageLine& a, const StageLine& b) {
  EXPECT_EQ(a.tick, b.tick);
  EXPECT_EQ(a.t_s, b.t_s);
  EXPECT_EQ(a.seen, b.seen);
  EXPECT_EQ(a.alive, b.alive);
  EXPECT_EQ(a.trust, b.trust);
  for (const char* metric : {"error", "late", "capacity.headroom", "unknown"}) {
    const AbsoluteTick x = a.absolute_of(metric), y = b.absolute_of(metric);
    EXPECT_EQ(x.n, y.n) << metric;
    EXPECT_EQ(x.x, y.x) << metric;
    EXPECT_EQ(x.histogram, y.histogram) << metric;
    EXPECT_EQ(x.level, y.level) << metric;
    EXPECT_EQ(x.basis, y.basis) << metric;
    EXPECT_EQ(x.alive, y.alive) << metric;
  }
}

TEST(StageTick, IsReadAgainAsItWasWritten) {
  const JudgedStage stage = stage_of({kError, kLate});
  const StageLine line = tick_line(stage, counted(), {5, 95, ""}, 10, Headroom{0.31, "a forecast"});
  EXPECT_EQ(line.tick->groups.size(), 3u);
  EXPECT_TRUE(line.seen && line.alive);
  const std::string text = to_json_text(line, stage);
  expect_equal(line_from_json(parse_json(text).value().get_object(), stage), line);
  EXPECT_TRUE(text.starts_with(R"({"t":10,"units":{"canary":5,"baseline":95},"groups":[)")) << text;
  EXPECT_NE(text.find(R"("seen":true,"alive":true,"trust":{"error":"server","late":"client"})"),
            std::string::npos)
      << text;
}

TEST(StageTick, OfAStageWithMoreMetricsIsTheSameWithNothingSaidOfThem) {
  const JudgedStage before = stage_of({kError}), after = stage_of({kLate, kError});
  const StageLine line = tick_line(before, counted(), {5, 95, ""}, 10, {});
  const StageLine reread = reshaped(line, before, after);
  ASSERT_TRUE(reread.tick);
  EXPECT_EQ(reread.tick->groups[1].counts, (std::vector<std::int64_t>{0, 0, 0, 900, 12}));
}

TEST(StageTick, SaysNothingOfWhatIsLeftOut) {
  const JudgedStage stage = stage_of({kError, kLate});
  StageLine line = tick_line(stage, counted(), {5, 95, ""}, 10, {});
  leave_out({"late"}, stage, &line);
  EXPECT_FALSE(line.trust.contains("late"));
  EXPECT_FALSE(line.absolute_of("late").histogram);
  for (const GroupCounts& group : line.tick->groups)
    EXPECT_EQ(group.counts[2], 0) << "group " << group.id;
  EXPECT_EQ(line.absolute_of("error").n, 50);
}

// Probes go on whether players come or not.
TEST(StageTick, WhatOnlyProbesSpokeOfIsSeenWhereNothingElseJudges) {
  StageTick only_probes;
  only_probes.metrics["probe.join"] = {{{Arm::Canary, "eu", "eu"}, {1, 0, {}}}};
  JudgedStage stage = stage_of({kError});
  stage.absolute = {{"probe.join", "probe.join"}};
  EXPECT_FALSE(tick_line(stage, only_probes, {}, 10, {}).seen);
  EXPECT_EQ(tick_line(stage, only_probes, {}, 10, {}).absolute_of("probe.join").n, 1);
  JudgedStage by_probes = stage_of({});
  by_probes.absolute = {{"probe.join", "probe.join"}};
  EXPECT_TRUE(tick_line(by_probes, only_probes, {}, 10, {}).seen);
}

}  // namespace
}  // namespace showcaller
