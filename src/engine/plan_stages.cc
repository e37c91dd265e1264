// SPDX-License-Identifier: Apache-2.0
#include "engine/plan_stages.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/bake_planner.h"
#include "analysis/null_stage.h"

namespace showcaller {
namespace {

constexpr double kAssumedRate = 0.01;
constexpr int kBaselineInstances = 4;             // assumed for each of the canary's
constexpr std::int64_t kSeriesLooksMax = 80'000;  // of all stages together
constexpr double kCalibratedShare = 0.02;

std::string fleet_of(const LiveEventSpec& spec) {
  std::string fleet;
  for (const Change& change : spec.changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what)) fleet = build->fleet;
  }
  return fleet;
}

double traffic_of(const std::string& fleet, const PlanFacts& facts) {
  const auto rate = facts.sessions_per_s.find(fleet);
  return rate == facts.sessions_per_s.end() ? 0 : rate->second;
}

std::string percent(double share) {
  return fmt::format("{:.4g}%", 100 * share);
}

// What one relative gate can see in one stage.
json::object detection_of(const LiveEventSpec& spec, const StageSpec& stage, const GateSpec& gate,
                          const PlanFacts& facts, double sessions_per_s, bool changes_build) {
  const auto baseline = facts.baselines.find(gate.metric);
  const bool measured = baseline != facts.baselines.end() && baseline->second.rate > 0;
  BakeQuestion question;
  question.rate = measured        ? baseline->second.rate
                  : gate.quantile ? 1 - *gate.quantile
                                  : kAssumedRate;
  question.ratio = gate.must_detect.value_or(2);
  question.margin = gate.worse_by_at_most_ratio.value_or(0);
  if (gate.worse_by_at_most_points)
    question.margin = ratio_of_points(*gate.worse_by_at_most_points, question.rate);
  question.ratio = std::max(question.ratio, 1 + question.margin + 0.01);
  question.share = double(stage.exposure_ppm) / double(kPpmWhole);
  question.profile = parse_gate_profile(spec.analysis.profile).value_or(GateProfile::Guaranteed);
  question.strictness = spec.analysis.strictness;
  question.assignment = assignment_of(spec, changes_build);
  question.canary_instances = std::max(spec.analysis.instances_min, 1);
  question.baseline_instances = kBaselineInstances * question.canary_instances;
  json::object out{{"gate", gate.name},
                   {"detects", fmt::format("{:.4g}x", question.ratio)},
                   {"baseline_rate", question.rate},
                   {"baseline_rate_is", measured ? "measured" : "assumed"}};
  if (question.share >= 1) {
    out["note"] = "no concurrent baseline at 100 %: absolute budgets alone judge here";
    return out;
  }
  const double units = units_to_detect(question);
  if (!std::isfinite(units)) {
    out["note"] = fmt::format("no bake suffices with {} canary instances; it takes {}",
                              int(question.canary_instances), canary_instances_needed(question));
    return out;
  }
  out["canary_units_needed"] = std::llround(std::ceil(units));
  if (sessions_per_s <= 0) return out;
  const std::int64_t planned_s = stage.bake_max.value_or(stage.bake_min).count() / 1000;
  const BakePlan plan =
      plan_bake(question, {sessions_per_s, planned_s, warmup_s_of(spec.analysis, planned_s)});
  out["bake_needed"] = std::isfinite(plan.seconds)
                           ? format_duration(seconds(std::llround(std::ceil(plan.seconds))))
                           : "never";
  out["enough"] = plan.enough;
  if (std::isfinite(plan.detectable_ratio))
    out["detectable"] = fmt::format("{:.3g}x", plan.detectable_ratio);
  if (!plan.enough) {
    out["advice"] =
        plan.share_needed > 0
            ? fmt::format("bake {} or expose {}", std::string(out["bake_needed"].as_string()),
                          percent(plan.share_needed))
            : fmt::format("bake {}", std::string(out["bake_needed"].as_string()));
  }
  return out;
}

// Absent: nothing is compared, or there is nothing to simulate it with.
std::optional<NullStage> null_stage_of(const World& world, const LiveEventSpec& spec,
                                       const StageSpec& stage, const PlanFacts& facts,
                                       json::array* without) {
  NullStage out;
  out.units_per_s = traffic_of(fleet_of(spec), facts);
  out.config = planned_comparison(world, spec, stage, facts.baselines);
  if (!stage.gated || out.units_per_s <= 0 || out.config.share <= 0) return std::nullopt;
  std::vector<GateMetric> known;
  for (GateMetric& metric : out.config.metrics) {
    const auto gate = std::find_if(spec.gates.begin(), spec.gates.end(),
                                   [&](const GateSpec& g) { return g.name == metric.name; });
    const auto baseline = facts.baselines.find(gate->metric);
    const double rate = baseline == facts.baselines.end() ? 0 : baseline->second.rate;
    // Of a rate the exposure is time, which sessions do not tell.
    const bool can =
        metric.kind == MetricKind::Quantile || (metric.kind != MetricKind::Rate && rate > 0);
    if (!can) {
      without->push_back(json::string(metric.name));
      continue;
    }
    out.rates.push_back(rate);
    known.push_back(std::move(metric));
  }
  out.config.metrics = std::move(known);
  out.canary_instances = std::max(spec.analysis.instances_min, 1);
  out.baseline_instances = kBaselineInstances * out.canary_instances;
  if (out.config.metrics.empty() || !check(out.config)) return std::nullopt;
  return out;
}

double rounded(double value) {
  return std::round(value * 10) / 10;
}

json::object false_rollback_of(const NullStage& stage, const NullBudget& budget) {
  const NullRate rate = simulate_null(stage, budget);
  json::object out{{"percent", rounded(100 * rate.share)},
                   {"low", rounded(100 * rate.low)},
                   {"high", rounded(100 * rate.high)},
                   {"runs", rate.runs}};
  const double strictness = std::ceil(rate.strictness_for(kCalibratedShare) * 10) / 10;
  if (stage.config.profile == GateProfile::Calibrated && strictness > stage.config.strictness)
    out["strictness_for_2_percent"] = strictness;
  return out;
}

}  // namespace

void add_false_rollbacks(const World& world, const LiveEventSpec& spec, const PlanFacts& facts,
                         json::array* stages) {
  const auto all = std::int64_t(std::max<std::size_t>(1, spec.stages.size()));
  for (std::size_t i = 0; i < spec.stages.size(); ++i) {
    json::array without;
    const auto stage = null_stage_of(world, spec, spec.stages[i], facts, &without);
    if (!stage) continue;
    json::object told = false_rollback_of(*stage, {.series_looks_max = kSeriesLooksMax / all});
    if (!without.empty()) told["without"] = std::move(without);
    (*stages)[i].as_object()["false_rollback"] = std::move(told);
  }
}

json::object stage_at_risk(const World& world, const LiveEventSpec& spec, const StageSpec& stage,
                           const PlanFacts& facts) {
  const std::string fleet = fleet_of(spec);
  const FleetSpec* of_fleet = world.fleet(fleet);
  const Duration bake = stage.bake_max.value_or(stage.bake_min);
  const std::string lasts =
      format_duration(bake + (of_fleet ? of_fleet->session_length_max : Duration{}));
  const double share = double(stage.exposure_ppm) / double(kPpmWhole);
  std::string whom = percent(share) + (stage.audience ? " of its audience" : " of sessions");
  json::object out{{"risk_lasts", lasts}};
  if (const double sessions_per_s = traffic_of(fleet, facts); sessions_per_s > 0) {
    const std::int64_t sessions =
        std::llround(sessions_per_s * share * double(bake.count()) / 1000);
    out["sessions_at_risk_max"] = sessions;
    whom = fmt::format("{} sessions", sessions);
    if (const int each = of_fleet ? of_fleet->capacity.players_per_session : 0; each > 0) {
      out["players_at_risk_max"] = sessions * each;
      whom = fmt::format("{} players", sessions * each);
    }
  }
  out["says"] = fmt::format("at worst {} for {}", whom, lasts);
  return out;
}

json::array planned_stages(const World& world, const LiveEventSpec& spec, const PlanFacts& facts) {
  const std::string fleet = fleet_of(spec);
  const double sessions_per_s = traffic_of(fleet, facts);
  json::array out;
  for (const StageSpec& stage : spec.stages) {
    json::array detections;
    for (const GateSpec& gate : spec.gates) {
      const bool relative = gate.worse_by_at_most_ratio || gate.worse_by_at_most_points;
      const bool here = gate.stages.empty() || std::find(gate.stages.begin(), gate.stages.end(),
                                                         stage.name) != gate.stages.end();
      if (relative && here && stage.gated)
        detections.push_back(
            detection_of(spec, stage, gate, facts, sessions_per_s, !fleet.empty()));
    }
    json::object line{{"name", stage.name},
                      {"exposure_percent", double(stage.exposure_ppm) / 10'000},
                      {"bake", format_duration(stage.bake_min)},
                      {"gates", std::move(detections)}};
    if (stage.audience) line["of_audience"] = true;
    if (!stage.regions.empty()) line["regions"] = json::value_from(stage.regions);
    if (stage.bake_max) line["bake_max"] = format_duration(*stage.bake_max);
    for (auto& field : stage_at_risk(world, spec, stage, facts))
      if (field.key() != "says") line[field.key()] = std::move(field.value());
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace showcaller
