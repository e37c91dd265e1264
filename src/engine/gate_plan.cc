// SPDX-License-Identifier: Apache-2.0
#include "engine/gate_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/exposure.h"
#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

constexpr std::string_view kHeadroomMetric = "capacity.headroom";

MetricKind kind_of(MetricType type) {
  switch (type) {
    case MetricType::Binary:
      return MetricKind::Binary;
    case MetricType::Count:
      return MetricKind::Count;
    case MetricType::Rate:
      return MetricKind::Rate;
    case MetricType::Quantile:
      return MetricKind::Quantile;
  }
  return MetricKind::Binary;
}

bool applies(const GateSpec& gate, const std::string& stage) {
  return gate.stages.empty() ||
         std::find(gate.stages.begin(), gate.stages.end(), stage) != gate.stages.end();
}

bool is_relative(const GateSpec& gate) {
  return gate.worse_by_at_most_ratio || gate.worse_by_at_most_points;
}

GateMetric metric_of_gate(const GateSpec& gate, const MetricSpec& metric,
                          const BaselineOf* baseline) {
  GateMetric out;
  out.name = gate.name;
  out.kind = kind_of(metric.type);
  out.better = metric.lower_is_better ? Better::Lower : Better::Higher;
  out.weight = gate.importance;
  out.worse_by_at_most = gate.worse_by_at_most_ratio.value_or(0);
  if (gate.worse_by_at_most_points && baseline && baseline->rate > 0) {
    out.worse_by_at_most = ratio_of_points(*gate.worse_by_at_most_points, baseline->rate);
  }
  out.must_detect = gate.must_detect.value_or(0);
  if (metric.type == MetricType::Quantile) {
    const std::vector<double>& cuts =
        baseline && !baseline->quantile_cuts.empty() ? baseline->quantile_cuts : metric.cuts;
    // The tail up to the asked quantile: the top cut alone is the weakest statistic of it.
    for (std::size_t i = 0; i < std::size(kQuantilesAt) && i < cuts.size(); ++i) {
      if (gate.quantile && kQuantilesAt[i] > *gate.quantile + 1e-9) break;
      if (!out.cuts.empty() && cuts[i] <= out.cuts.back()) continue;
      out.at.push_back(kQuantilesAt[i]);
      out.cuts.push_back(cuts[i]);
    }
  }
  return out;
}

Assignment assignment_of(const LiveEventSpec& spec, bool changes_build) {
  if (spec.analysis.noise_unit == "player") return Assignment::Player;
  if (spec.analysis.noise_unit == "instance") return Assignment::Instance;
  return changes_build ? Assignment::Instance : Assignment::Player;
}

std::int64_t whole_seconds(Duration d) {
  return std::max<std::int64_t>(1, d.count() / 1000);
}

}  // namespace

std::string JudgedStage::key() const {
  return fmt::format("{}/r{}/v{}", event, revision, visit);
}

std::string JudgedStage::metric_name(const std::string& gate) const {
  const auto metric = metric_of.find(gate);
  return metric == metric_of.end() ? "" : metric->second;
}

void JudgedStage::freeze(GateConfig stored) {
  config = std::move(stored);
  std::erase_if(resting, [&](const RestingGate& gate) {
    return std::any_of(config.metrics.begin(), config.metrics.end(),
                       [&](const GateMetric& judged) { return judged.name == gate.gate; });
  });
}

std::optional<MetricSpec> metric_spec(const World& world, std::string_view name) {
  if (const auto manifest = world.manifest(Kind::Metric, name)) return manifest->as<MetricSpec>();
  if (const MetricSpec* built_in = built_in_metric(name)) return *built_in;
  return std::nullopt;
}

std::optional<JudgedStage> judged_stage(const World& world, const std::string& name,
                                        const std::map<std::string, BaselineOf>& baselines) {
  const EventState* event = world.event(name);
  if (!event || !may_admit(event->phase) || event->stage < 0) return std::nullopt;
  const LiveEventSpec& spec = event->spec();
  const StageSpec& stage = spec.stages[std::size_t(event->stage)];
  const bool live = event->phase == Phase::Live;
  if (live && !spec.watch.until_end && !spec.watch.duration) return std::nullopt;
  if (!live && !stage.gated) return std::nullopt;

  JudgedStage out{name, event->revision, event->visit, event->stage_since};
  for (const Change& change : spec.changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what)) {
      out.fleet = build->fleet;
      out.canary_build = build->version;
    }
  }
  const std::int64_t share_ppm = canary_share_ppm(*event);
  const bool has_baseline = share_ppm > 0 && share_ppm < kPpmWhole;
  bool any_gate = false;
  for (const GateSpec& gate : spec.gates) {
    if (!applies(gate, stage.name)) continue;
    any_gate = true;
    const auto metric = gate.metric == kHeadroomMetric ? std::optional<MetricSpec>(MetricSpec{})
                                                       : metric_spec(world, gate.metric);
    if (!metric) {
      out.resting.push_back(
          {gate.name, fmt::format("gate {} has no metric '{}'", gate.name, gate.metric)});
      continue;
    }
    if (gate.at_most || gate.at_least) {
      out.absolute.push_back(
          {gate.name, gate.metric, metric->type, gate.quantile, gate.at_most, gate.at_least});
    }
    if (!is_relative(gate)) continue;
    out.metric_of[gate.name] = gate.metric;
    if (!has_baseline) {
      out.resting.push_back(
          {gate.name, fmt::format("gate {} rests: there is no concurrent baseline", gate.name)});
      continue;
    }
    const auto baseline = baselines.find(gate.metric);
    GateMetric judged =
        metric_of_gate(gate, *metric, baseline == baselines.end() ? nullptr : &baseline->second);
    if (judged.kind == MetricKind::Quantile && judged.cuts.empty()) {
      out.resting.push_back(
          {gate.name,
           fmt::format(
               "gate {} rests: its baseline's quantiles are not known yet; give metric {} `cuts`",
               gate.name, gate.metric)});
      continue;
    }
    out.config.metrics.push_back(std::move(judged));
  }
  if (!any_gate) return std::nullopt;
  out.config.profile = parse_gate_profile(spec.analysis.profile).value_or(GateProfile::Guaranteed);
  out.config.assignment = assignment_of(spec, !out.canary_build.empty());
  out.config.canary_instances_min = spec.analysis.instances_min;
  out.config.planned_s = whole_seconds(stage.bake_max.value_or(stage.bake_min));
  out.config.tick_s = whole_seconds(spec.analysis.tick);
  out.config.warmup_s = spec.analysis.warmup.count() / 1000;
  out.config.share = has_baseline ? double(share_ppm) / double(kPpmWhole) : 0;
  return out;
}

}  // namespace showcaller
