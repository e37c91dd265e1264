// SPDX-License-Identifier: Apache-2.0
// The evidence over time says what the gate itself said.
#include "host/evidence_curve.h"

#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kCurveHouse = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
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

constexpr const char* kCurveEvent = R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
  rollout:
    stages:
      - { name: canary, exposure: 20%, bake: { min: 20m, max: 30m } }
      - { name: world, exposure: 100%, bake: 1m }
  analysis: { tick: 10s, warmup: 10s, profile: C, instances_min: 4 }
  gates:
    - { metric: session.crashed, worse_by_at_most: 0%, must_detect: 2x, on_fail: hold }
    - { name: few-crashes, metric: session.crashed, at_most: 0.2, on_fail: hold }
)";

class EvidenceCurve : public testing::Test {
 protected:
  EvidenceCurve() : theatre_(1, &evidence_) {
    EXPECT_TRUE(theatre_.apply("house.yaml", kCurveHouse));
    theatre_.traffic.sessions_per_s = 20;
    theatre_.traffic.crash_share = {{"1.0.0", 0.02}, {"1.1.0", 0.3}};
    theatre_.advance(minutes(1));
    const auto applied = theatre_.apply("gala.yaml", kCurveEvent);
    EXPECT_TRUE(applied) << (applied ? "" : applied.error().message);
    theatre_.advance(minutes(6));
  }
  json::object curve(std::size_t points_max = kCurvePointsMax) {
    const EventState* event = theatre_.world()->event("gala");
    const auto made = evidence_curve(*theatre_.world(), &evidence_,
                                     {"gala", event->revision, event->visit}, points_max);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made.value_or(json::object());
  }
  static const json::array& column(const json::object& of, std::string_view name) {
    return of.at(name).as_array();
  }

  MemoryEvidenceStore evidence_;
  Theatre theatre_;
};

TEST_F(EvidenceCurve, SaysWhatTheGateSaid) {
  const json::object all = curve();
  const json::object& gate = column(all, "gates").at(0).as_object();
  const GateStanding& standing = theatre_.world()->event("gala")->gates.at("session.crashed");
  EXPECT_EQ(standing.verdict, VerdictName::Fail);
  EXPECT_EQ(column(gate, "verdict").back(), "fail");
  EXPECT_EQ(column(all, "verdict").back(), "fail");
  // The evidence comes to the threshold where the verdict becomes fail, and not before.
  const double threshold = all.at("log10_threshold").as_double();
  for (std::size_t i = 0; i < column(all, "t").size(); ++i) {
    const json::value& e = column(all, "log10_e").at(i);
    const bool above = !e.is_null() && e.as_double() >= threshold;
    if (above) {
      EXPECT_EQ(column(all, "verdict").at(i), "fail") << i;
    }
  }
  EXPECT_FALSE(get_string(all, "why").empty());
}

TEST_F(EvidenceCurve, EveryColumnIsAsLong) {
  const json::object all = curve();
  const std::size_t points = column(all, "t").size();
  EXPECT_GT(points, 20u);
  for (const std::string_view name : {"log10_e", "verdict"})
    EXPECT_EQ(column(all, name).size(), points);
  const json::object& gate = column(all, "gates").at(0).as_object();
  for (const std::string_view name : {"canary", "baseline", "canary_n", "baseline_n", "ratio",
                                      "low", "high", "log10_e", "verdict"})
    EXPECT_EQ(column(gate, name).size(), points) << name;
  const json::object& budget = column(all, "budgets").at(0).as_object();
  EXPECT_EQ(get_string(budget, "gate"), "few-crashes");
  EXPECT_EQ(column(budget, "value").size(), points);
  EXPECT_EQ(column(budget, "verdict").back(), "fail");
}

TEST_F(EvidenceCurve, IsThinnedToItsBound) {
  const json::object all = curve();
  const json::object thin = curve(10);
  EXPECT_LE(column(thin, "t").size(), 10u);
  EXPECT_EQ(column(thin, "t").back(), column(all, "t").back());
  EXPECT_EQ(column(thin, "log10_e").back(), column(all, "log10_e").back());
  const auto sum = [](const json::object& of) {
    std::int64_t n = 0;
    for (const json::value& each : column(column(of, "gates").at(0).as_object(), "canary_n"))
      n += each.as_int64();
    return n;
  };
  EXPECT_EQ(sum(thin), sum(all));
}

TEST_F(EvidenceCurve, WhatIsNotKeptIsToldSo) {
  const auto none = evidence_curve(*theatre_.world(), &evidence_, {"gala", 1, 99});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::NotFound);
  EXPECT_FALSE(evidence_curve(*theatre_.world(), &evidence_, {"nobody", 1, 1}));
}

}  // namespace
}  // namespace showcaller::test
