// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/gate_plan.h"
#include "flow/telemetry_intake.h"
#include "model/manifest/manifest.h"
#include "sim/run.h"

namespace showcaller::sim {
namespace {

constexpr double kErrors = 0.01;         // of sessions
constexpr double kGood = 0.6;            // what ought to happen in a session, and does
constexpr double kErrorsASecond = 1e-4;  // and player
constexpr double kMedianMs = 40, kP99Ms = 250;
constexpr double kWithinBudget = 0.6;  // of an absolute limit: the game is well before the event

const MetricSpec* spec_of(std::span<const std::shared_ptr<const Manifest>> manifests,
                          const std::string& name) {
  for (const auto& manifest : manifests) {
    if (manifest->kind() == Kind::Metric && manifest->name == name)
      return &manifest->as<MetricSpec>();
  }
  return built_in_metric(name);
}

Measured as_its_kind_is(const std::string& name, const MetricSpec& spec,
                        const Population& population) {
  Measured out{name, spec.type, spec.lower_is_better, name == kSessionCrashed};
  switch (spec.type) {
    case MetricType::Binary:
    case MetricType::Count:
      out.rate = spec.lower_is_better ? kErrors : kGood;
      break;
    case MetricType::Rate:
      out.rate = kErrorsASecond;
      break;
    case MetricType::Quantile:
      out.median = kMedianMs;
      out.p99 = kP99Ms;
      break;
  }
  if (out.is_crash) out.rate = double(population.crash_ppm) / double(kPpmWhole);
  return out;
}

// The game keeps its own limits before the event: else no stage could pass.
void keep_within(const GateSpec& gate, Measured* metric) {
  if (gate.at_least && metric->type == MetricType::Binary) {
    const double lacks = kWithinBudget * (1 - *gate.at_least);
    metric->rate = std::max(metric->rate, 1 - lacks);
  }
  if (!gate.at_most) return;
  const double most = kWithinBudget * *gate.at_most;
  if (metric->type != MetricType::Quantile) {
    metric->rate = std::min(metric->rate, most);
    return;
  }
  if (metric->p99 <= most) return;
  metric->median *= most / metric->p99;
  metric->p99 = most;
}

}  // namespace

std::vector<Measured> metrics_of(std::span<const std::shared_ptr<const Manifest>> manifests,
                                 const Population& population) {
  std::map<std::string, Measured> out;
  for (const auto& manifest : manifests) {
    if (manifest->kind() != Kind::LiveEvent) continue;
    for (const GateSpec& gate : manifest->as<LiveEventSpec>().gates) {
      const MetricSpec* spec = spec_of(manifests, gate.metric);
      if (gate.metric == kHeadroomMetric || !spec) continue;
      const auto [at, fresh] =
          out.try_emplace(gate.metric, as_its_kind_is(gate.metric, *spec, population));
      keep_within(gate, &at->second);
    }
  }
  for (const MetricTruth& truth : population.metrics) {
    const auto at = out.find(truth.name);
    if (at == out.end()) continue;
    if (truth.rate > 0) at->second.rate = truth.rate;
    // One that is not said follows the other.
    const double ratio = at->second.p99 / at->second.median;
    if (truth.median > 0) {
      at->second.median = truth.median;
      at->second.p99 = truth.p99 > 0 ? truth.p99 : truth.median * ratio;
    } else if (truth.p99 > 0) {
      at->second.p99 = truth.p99;
      at->second.median = truth.p99 / ratio;
    }
  }
  std::vector<Measured> metrics;
  for (auto& [name, metric] : out) metrics.push_back(std::move(metric));
  return metrics;
}

}  // namespace showcaller::sim
