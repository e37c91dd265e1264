// SPDX-License-Identifier: Apache-2.0
// From a LiveEvent's gates to what is judged in its present stage: one comparison of arms for the
// relative gates, and a budget each for the absolute ones. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/gate.h"
#include "flow/baseline_history.h"
#include "model/world.h"

namespace showcaller {

inline constexpr double kQuantilesAt[] = {0.5, 0.9, 0.95, 0.99};
// Cuts lie on boundaries of the histograms, so that all of them, finer or coarser, agree on what is
// above.
inline constexpr int kCutScale = 4;  // steps of 4.4 %

struct QuantileCut {
  double at = 0;  // the share that lies below: one of kQuantilesAt, or just beside it
  double value = 0;
};

// What the baseline was like before the stage, of one metric: frozen when the stage is entered.
struct BaselineOf {
  std::int64_t units = 0;         // that the rate was seen on; 0: unknown
  double rate = 0;                // events a unit
  std::vector<QuantileCut> cuts;  // one for each of kQuantilesAt; empty: unknown
  int cut_scale = kCutScale;      // the cuts are on boundaries of this scale, and of finer ones
  NoisePrior prior;               // what earlier rollouts taught
};
// From what was counted; what is too little to know is left out.
BaselineOf baseline_of(const MetricCounts& counts);

inline constexpr std::string_view kHeadroomMetric = "capacity.headroom";

// A gate's absolute side: the canary alone against a number.
struct AbsoluteGate {
  std::string gate, metric;
  MetricType type = MetricType::Binary;
  std::optional<double> quantile, at_most, at_least;
};

// A gate that arms are not compared for now, and why.
struct RestingGate {
  std::string gate, why;
  bool waits =
      false;  // for something that may still come to be known: until then the stage is thin
};

// A visit of a stage that is judged.
struct JudgedVisit {
  std::string event;
  std::int64_t revision = 0, visit = 0;
  bool live = false;  // the watch after the last stage

  std::string key() const;     // "event/r1/v3": what sessions are counted under
  std::string stream() const;  // names the evidence: the key, and "-live" for the watch
};

struct JudgedStage : JudgedVisit {
  Instant since{};
  GateConfig config;  // metrics empty: no arm to compare with, or no relative gate
  std::map<std::string, std::string> metric_of;  // by gate, resting or not
  std::vector<AbsoluteGate> absolute;
  std::vector<RestingGate> resting;
  // Which build of which fleet is the canary; empty: arms come with the reports (flags).
  std::string fleet, canary_build;

  // Empty: the event has no such gate.
  std::string metric_name(const std::string& gate) const;
  // Takes the comparison as it was frozen when the stage began, whatever is known by now.
  void freeze(GateConfig stored);
  bool waits() const;  // one of its gates does
  // Whether one of its gates that wait could be judged by what `later` knows.
  bool waits_for(const JudgedStage& later) const;
};

// Absent: nothing is judged now (not admitting, a stage without gates, or live and the watch is
// over).
std::optional<JudgedVisit> judged_visit(const World& world, const std::string& event, Instant now);
std::optional<JudgedStage> judged_stage(const World& world, const std::string& event,
                                        const std::map<std::string, BaselineOf>& baselines,
                                        Instant now);

// What the noise between groups is measured over: as the manifest says, else by what changes.
Assignment assignment_of(const LiveEventSpec& spec, bool changes_build);

// What a stage would compare if it began with these baselines; gates that would wait are left out.
GateConfig planned_comparison(const World& world, const LiveEventSpec& spec, const StageSpec& stage,
                              const std::map<std::string, BaselineOf>& baselines);

// The first seconds of a stage that count for nothing but catastrophes: as the manifest says, and
// at most half of what is planned.
std::int64_t warmup_s_of(const AnalysisSpec& analysis, std::int64_t planned_s);

// The metric of a gate: a manifest's, else a built-in one; absent: unknown.
std::optional<MetricSpec> metric_spec(const World& world, std::string_view name);

}  // namespace showcaller
