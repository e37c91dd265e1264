// SPDX-License-Identifier: Apache-2.0
#include "engine/gate_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/moves.h"
#include "model/exposure.h"
#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

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

constexpr std::int64_t kBaselineUnitsMin = 200;  // before it is known what the baseline is like

bool is_relative(const GateSpec& gate) {
  return gate.worse_by_at_most_ratio || gate.worse_by_at_most_points;
}

// No event in n units: the rate is below 3/n with 95 % confidence (the rule of three).
constexpr double kRuleOfThree = 3;

double rate_at_most(const BaselineOf& baseline) {
  return baseline.rate > 0 ? baseline.rate : kRuleOfThree / double(baseline.units);
}

// What has to be seen of the baseline before arms can be compared. Empty: nothing.
std::string lacks_baseline(const GateSpec& gate, const GateMetric& judged,
                           const BaselineOf* baseline) {
  if (judged.kind == MetricKind::Quantile && judged.cuts.empty()) {
    return fmt::format(
        "gate {} waits for its baseline's quantiles; traffic will tell, or give "
        "metric {} `cuts`",
        gate.name, gate.metric);
  }
  if (!gate.worse_by_at_most_points) return {};
  const double points = *gate.worse_by_at_most_points;
  const std::int64_t units = baseline ? baseline->units : 0;
  if (units > 0 && (baseline->rate > 0 || rate_at_most(*baseline) <= points)) return {};
  return fmt::format(
      "gate {} waits for its baseline's rate, without which {:g} percentage points "
      "are no ratio: {}; traffic will tell, or give the margin in %",
      gate.name, points * 100,
      units > 0 ? fmt::format("no event in {} units yet", units) : "too few units yet");
}

std::vector<QuantileCut> cuts_of(const MetricSpec& metric, const BaselineOf* baseline) {
  if (baseline && !baseline->cuts.empty()) return baseline->cuts;
  std::vector<QuantileCut> out;
  for (std::size_t i = 0; i < std::size(kQuantilesAt) && i < metric.cuts.size(); ++i)
    out.push_back({kQuantilesAt[i], ExponentialHistogram::snap_cut(metric.cuts[i], kCutScale)});
  return out;
}

// The tail up to the asked quantile: the top cut alone is the weakest statistic of it. What is
// acceptable is counted out as far as the steps of the histograms allow, what must be seen alike:
// the certificate asks whether the canary's values, divided by that, are not above.
void add_cuts(const GateSpec& gate, const MetricSpec& metric, const BaselineOf* baseline,
              GateMetric* out) {
  const int scale = baseline ? baseline->cut_scale : kCutScale;
  const std::vector<QuantileCut> cuts = cuts_of(metric, baseline);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (gate.quantile && kQuantilesAt[i] > *gate.quantile + 1e-9) break;
    const bool above =
        out->cuts.empty() || (cuts[i].value > out->cuts.back() && cuts[i].at > out->at.back());
    if (!above || cuts[i].value <= 0 || cuts[i].at <= 0 || cuts[i].at >= 1) continue;
    out->at.push_back(cuts[i].at);
    out->cuts.push_back(cuts[i].value);
  }
  if (out->cuts.empty()) return;
  const bool lower = out->better == Better::Lower;
  const double acceptable = lower ? 1 + out->worse_by_at_most : 1 - out->worse_by_at_most;
  out->divided_by = ExponentialHistogram::snap_factor(acceptable, scale);
  if (!lower) return;
  const double seen = std::min(latency_growth_seen(*out), 10.0);
  const double scaled_by = ExponentialHistogram::snap_factor(seen, scale);
  if (scaled_by > out->divided_by * (1 + 1e-9)) out->scaled_by = scaled_by;
}

GateMetric metric_of_gate(const GateSpec& gate, const MetricSpec& metric,
                          const BaselineOf* baseline) {
  GateMetric out;
  out.name = gate.name;
  out.kind = kind_of(metric.type);
  out.better = metric.lower_is_better ? Better::Lower : Better::Higher;
  out.weight = gate.importance;
  out.worse_by_at_most = gate.worse_by_at_most_ratio.value_or(0);
  if (gate.worse_by_at_most_points && baseline && baseline->units > 0)
    out.worse_by_at_most = ratio_of_points(*gate.worse_by_at_most_points, rate_at_most(*baseline));
  out.must_detect = gate.must_detect.value_or(0);
  if (baseline) out.prior = baseline->prior;
  if (metric.type == MetricType::Quantile) add_cuts(gate, metric, baseline, &out);
  return out;
}

std::int64_t whole_seconds(Duration d) {
  return std::max<std::int64_t>(1, d.count() / 1000);
}

}  // namespace

Assignment assignment_of(const LiveEventSpec& spec, bool changes_build) {
  if (spec.analysis.noise_unit == "player") return Assignment::Player;
  if (spec.analysis.noise_unit == "instance") return Assignment::Instance;
  return changes_build ? Assignment::Instance : Assignment::Player;
}

std::string JudgedVisit::key() const {
  return fmt::format("{}/r{}/v{}", event, revision, visit);
}

std::string JudgedVisit::stream() const {
  return key() + (live ? "-live" : "");
}

bool JudgedStage::waits() const {
  return std::any_of(resting.begin(), resting.end(),
                     [](const RestingGate& gate) { return gate.waits; });
}

bool JudgedStage::waits_for(const JudgedStage& later) const {
  return std::any_of(resting.begin(), resting.end(), [&](const RestingGate& gate) {
    return gate.waits && std::any_of(later.config.metrics.begin(), later.config.metrics.end(),
                                     [&](const GateMetric& m) { return m.name == gate.gate; });
  });
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

BaselineOf baseline_of(const MetricCounts& counts) {
  BaselineOf out;
  if (counts.n >= kBaselineUnitsMin) {
    out.units = counts.n;
    out.rate = double(counts.x) / double(counts.n);
  }
  if (!counts.histogram) return out;
  const ExponentialHistogram& histogram = *counts.histogram;
  const auto all = double(histogram.count());
  if (all < double(kBaselineUnitsMin)) return out;
  out.cut_scale = std::min(kCutScale, histogram.scale());
  for (const double q : kQuantilesAt) {
    const double cut = ExponentialHistogram::snap_cut(histogram.quantile(q), out.cut_scale);
    out.cuts.push_back({1 - double(histogram.count_above(cut)) / all, cut});
  }
  return out;
}

std::optional<MetricSpec> metric_spec(const World& world, std::string_view name) {
  if (const auto manifest = world.manifest(Kind::Metric, name)) return manifest->as<MetricSpec>();
  if (const MetricSpec* built_in = built_in_metric(name)) return *built_in;
  return std::nullopt;
}

std::int64_t warmup_s_of(const AnalysisSpec& analysis, std::int64_t planned_s) {
  return std::min<std::int64_t>(analysis.warmup.count() / 1000, planned_s / 2);
}

namespace {

constexpr Duration kPlannedMax = hours(24) * 365;

Duration planned_time(const Subject& s) {
  if (s.event.phase != Phase::Live) return s.stage()->bake_max.value_or(s.stage()->bake_min);
  const auto& watch = s.spec().watch;
  if (watch.duration) return std::min(*watch.duration, kPlannedMax);
  const auto& end = s.spec().schedule.end;
  return end ? std::min(latest_of(*end) - s.world.wall(s.event.phase_since), kPlannedMax)
             : kPlannedMax;
}

// Everything but the metrics.
GateConfig comparison_of(const LiveEventSpec& spec, Duration planned, std::int64_t share_ppm,
                         bool changes_build) {
  GateConfig config;
  config.profile = parse_gate_profile(spec.analysis.profile).value_or(GateProfile::Guaranteed);
  config.strictness = spec.analysis.strictness;
  config.assignment = assignment_of(spec, changes_build);
  config.canary_instances_min = spec.analysis.instances_min;
  config.planned_s = whole_seconds(planned);
  config.tick_s = whole_seconds(spec.analysis.tick);
  config.warmup_s = warmup_s_of(spec.analysis, config.planned_s);
  config.share = share_ppm < kPpmWhole ? double(share_ppm) / double(kPpmWhole) : 0;
  return config;
}

void add_relative(const Subject& s, const GateSpec& gate, const MetricSpec& metric,
                  const std::map<std::string, BaselineOf>& baselines, JudgedStage* out) {
  out->metric_of[gate.name] = gate.metric;
  if (canary_share_ppm(s.event) <= 0) {
    out->resting.push_back(
        {gate.name, fmt::format("gate {} waits: nobody is admitted now", gate.name), true});
    return;
  }
  if (out->config.share <= 0) {
    out->resting.push_back(
        {gate.name, fmt::format("gate {} rests: there is no concurrent baseline", gate.name)});
    return;
  }
  const auto at = baselines.find(gate.metric);
  const BaselineOf* baseline = at == baselines.end() ? nullptr : &at->second;
  GateMetric judged = metric_of_gate(gate, metric, baseline);
  if (std::string lacks = lacks_baseline(gate, judged, baseline); !lacks.empty()) {
    out->resting.push_back({gate.name, std::move(lacks), true});
    return;
  }
  out->config.metrics.push_back(std::move(judged));
}

void add_gate(const Subject& s, const GateSpec& gate,
              const std::map<std::string, BaselineOf>& baselines, JudgedStage* out) {
  const auto metric = gate.metric == kHeadroomMetric ? std::optional<MetricSpec>(MetricSpec{})
                                                     : metric_spec(s.world, gate.metric);
  if (!metric) {
    out->resting.push_back(
        {gate.name,
         fmt::format("gate {} has no metric '{}'; apply the Metric", gate.name, gate.metric),
         true});
    return;
  }
  if (gate.at_most || gate.at_least) {
    out->absolute.push_back(
        {gate.name, gate.metric, metric->type, gate.quantile, gate.at_most, gate.at_least});
  }
  if (is_relative(gate)) add_relative(s, gate, *metric, baselines, out);
}

// A comparison that can't be made is no pass.
void rest_what_is_refused(JudgedStage* stage) {
  if (stage->config.metrics.empty()) return;
  const Status good = check(stage->config);
  if (good) return;
  for (const GateMetric& metric : stage->config.metrics) {
    stage->resting.push_back(
        {metric.name, fmt::format("gate {} can't be judged: {}", metric.name, good.error().message),
         true});
  }
  stage->config.metrics.clear();
}

std::optional<JudgedVisit> visit_of(const Subject& s) {
  if (!may_admit(s.event.phase) || !s.stage()) return std::nullopt;
  const bool live = s.event.phase == Phase::Live;
  if (live ? !watch_is_on(s) : !s.stage()->gated) return std::nullopt;
  const auto& gates = s.spec().gates;
  const bool any_gate = std::any_of(gates.begin(), gates.end(), [&](const GateSpec& gate) {
    return applies(gate, s.stage()->name);
  });
  if (!any_gate) return std::nullopt;
  return JudgedVisit{s.name, s.event.revision, s.event.visit, live};
}

}  // namespace

GateConfig planned_comparison(const World& world, const LiveEventSpec& spec, const StageSpec& stage,
                              const std::map<std::string, BaselineOf>& baselines) {
  const bool changes_build = std::any_of(
      spec.changes.begin(), spec.changes.end(),
      [](const Change& change) { return std::holds_alternative<BuildChange>(change.what); });
  GateConfig config = comparison_of(spec, stage.bake_max.value_or(stage.bake_min),
                                    stage.exposure_ppm, changes_build);
  for (const GateSpec& gate : spec.gates) {
    const auto metric = metric_spec(world, gate.metric);
    if (!metric || !is_relative(gate) || !applies(gate, stage.name)) continue;
    const auto at = baselines.find(gate.metric);
    const BaselineOf* baseline = at == baselines.end() ? nullptr : &at->second;
    GateMetric judged = metric_of_gate(gate, *metric, baseline);
    if (lacks_baseline(gate, judged, baseline).empty()) config.metrics.push_back(std::move(judged));
  }
  return config;
}

std::optional<JudgedVisit> judged_visit(const World& world, const std::string& name, Instant now) {
  const auto s = subject_of(world, name, now);
  return s ? visit_of(*s) : std::nullopt;
}

std::optional<JudgedStage> judged_stage(const World& world, const std::string& name,
                                        const std::map<std::string, BaselineOf>& baselines,
                                        Instant now) {
  const auto s = subject_of(world, name, now);
  auto visit = s ? visit_of(*s) : std::nullopt;
  if (!visit) return std::nullopt;

  JudgedStage out{*std::move(visit), s->event.stage_since};
  for (const Change& change : s->spec().changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what)) {
      out.fleet = build->fleet;
      out.canary_build = build->version;
    }
  }
  out.config = comparison_of(s->spec(), planned_time(*s), canary_share_ppm(s->event),
                             !out.canary_build.empty());
  for (const GateSpec& gate : s->spec().gates) {
    if (applies(gate, s->stage()->name)) add_gate(*s, gate, baselines, &out);
  }
  rest_what_is_refused(&out);
  return out;
}

}  // namespace showcaller
