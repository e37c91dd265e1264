// SPDX-License-Identifier: Apache-2.0
#include "analysis/gate.h"

#include <algorithm>
#include <cmath>

#include "analysis/gate_core.h"

namespace showcaller {

GateState::GateState(GateConfig config)
    : core_(std::make_unique<Core>(make_gate_plan(std::move(config)))) {}
GateState::GateState(const GateState& other) : core_(std::make_unique<Core>(*other.core_)) {}
GateState& GateState::operator=(const GateState& other) {
  if (this != &other) core_ = std::make_unique<Core>(*other.core_);
  return *this;
}
GateState::GateState(GateState&& other) noexcept = default;
GateState& GateState::operator=(GateState&& other) noexcept = default;
GateState::~GateState() = default;

Verdict GateState::feed(const Tick& tick) {
  if (is_normal(tick)) {
    core_->feed(tick);
  } else {
    // Sums of doubles depend on their order: one order for all.
    Tick in_order = tick;
    normalize(&in_order);
    core_->feed(in_order);
  }
  return core_->verdict;
}

Verdict GateState::verdict() const {
  return core_->verdict;
}
std::vector<Verdict> GateState::metric_verdicts() const {
  std::vector<Verdict> out;
  for (std::size_t m = 0; m < core_->plan->metrics.size(); ++m) out.push_back(core_->verdict_of(m));
  return out;
}
std::int64_t GateState::t_s() const {
  return core_->t_s;
}
GateLook GateState::look() const {
  return core_->look();
}
const GateConfig& GateState::config() const {
  return core_->plan->config;
}

std::vector<NoisePrior> GateState::learned() const {
  constexpr double kNuMax = 40, kTauMin = 0.01;
  std::vector<NoisePrior> out;
  for (const MetricPlan& metric : core_->plan->metrics) {
    NoisePrior most{.tau = kTauMin, .nu = 0};
    for (std::size_t s = metric.first; s < metric.last; ++s) {
      if (core_->plan->series[s].weight <= 0) continue;
      const WindowNoise n = core_->noise(s);
      const double tau = std::max(kTauMin, std::sqrt(n.tau2));
      if (most.nu == 0 || tau > most.tau) most = {tau, std::min(kNuMax, n.nu)};
    }
    out.push_back(most);
  }
  return out;
}

double GateState::strictness_reached(double at_least) const {
  return core_->strictness_reached(at_least);
}

std::size_t GateState::state_bytes() const {
  const Core& c = *core_;
  std::size_t bytes = sizeof(Core) + (c.warm.size() + c.main.size()) * sizeof(SeriesWindow);
  bytes += c.bounds.size() * sizeof(WindowsBound);
  for (const Restart& r : c.restarts) {
    bytes += r.series.size() * sizeof(SeriesWindow) +
             (r.baseline_counts.size() + r.canary_counts.size()) * 4;
  }
  bytes += (c.canary_totals.size() + c.baseline_totals.size()) * 8;
  for (const GroupTable* g : {&c.baseline_groups, &c.canary_groups}) {
    bytes += (g->counts.size() + g->history.size()) * 8 +
             g->stratum.size() * (4 + 4 + sizeof(std::string) + 64);
  }
  return bytes;
}

}  // namespace showcaller
