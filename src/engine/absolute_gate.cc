// SPDX-License-Identifier: Apache-2.0
#include "engine/absolute_gate.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/gate_readings.h"

namespace showcaller {
namespace {

constexpr double kLimitMin = 1e-9;  // "none at all" is a budget too

bool is_share(MetricType type) {
  return type == MetricType::Binary || type == MetricType::Quantile;
}

std::int64_t units(const AbsoluteGate& gate, const AbsoluteTick& tick) {
  if (gate.type != MetricType::Quantile) return tick.n;
  return tick.histogram ? std::int64_t(tick.histogram->count()) : 0;
}

}  // namespace

AbsoluteJudge::AbsoluteJudge(AbsoluteGate gate, const GateConfig& stage) : gate_(std::move(gate)) {
  if (gate_.metric == kHeadroomMetric) {
    level_.emplace(LevelConfig{.at_least = gate_.at_least, .at_most = gate_.at_most});
    return;
  }
  if (gate_.at_most) bounds_.push_back(bound(*gate_.at_most, BudgetSide::AtMost, stage));
  if (gate_.at_least) bounds_.push_back(bound(*gate_.at_least, BudgetSide::AtLeast, stage));
}

AbsoluteJudge::Bound AbsoluteJudge::bound(double limit, BudgetSide side,
                                          const GateConfig& stage) const {
  const bool quantile = gate_.type == MetricType::Quantile;
  // Of a quantile the share above the limit is what counts.
  double share = quantile ? 1 - gate_.quantile.value_or(0.99) : limit;
  const bool complement = is_share(gate_.type) && share > 0.5;
  const std::string said =
      fmt::format("at {} {:.4g}{}", side == BudgetSide::AtMost ? "most" : "least",
                  gate_.type == MetricType::Binary ? limit * 100 : limit,
                  gate_.type == MetricType::Binary ? " %" : "");
  if (complement) {
    share = 1 - share;
    side = side == BudgetSide::AtMost ? BudgetSide::AtLeast : BudgetSide::AtMost;
  }
  return {limit, complement, said,
          BudgetState({.limit = std::max(share, kLimitMin),
                       .side = side,
                       .profile = stage.profile,
                       .tick_s = stage.tick_s})};
}

std::int64_t AbsoluteJudge::events(const Bound& bound, const AbsoluteTick& tick) const {
  std::int64_t x = tick.x;
  if (gate_.type == MetricType::Quantile)
    x = tick.histogram ? std::int64_t(tick.histogram->count_above(bound.limit)) : 0;
  const std::int64_t n = units(gate_, tick);
  if (is_share(gate_.type)) x = std::min(x, n);
  return bound.complement ? n - x : x;
}

void AbsoluteJudge::feed(std::int64_t t_s, const AbsoluteTick& tick) {
  if (level_) {
    level_->feed(tick.level);
    if (tick.level) basis_ = tick.basis;
    return;
  }
  for (Bound& bound : bounds_)
    bound.budget.feed(t_s, {units(gate_, tick), events(bound, tick), tick.alive});
  n_ += tick.n;
  x_ += tick.x;
  if (!tick.histogram) return;
  if (histogram_)
    histogram_->merge(*tick.histogram);
  else
    histogram_ = tick.histogram;
}

std::string AbsoluteJudge::value() const {
  if (gate_.type == MetricType::Quantile) {
    const double q = gate_.quantile.value_or(0.99);
    return fmt::format("p{:g} is {:.4g}", 100 * q, histogram_ ? histogram_->quantile(q) : 0.0);
  }
  const double rate = n_ > 0 ? double(x_) / double(n_) : 0;
  return gate_.type == MetricType::Binary ? fmt::format("{:.4g} %", rate * 100)
                                          : fmt::format("{:.4g}", rate);
}

AbsoluteReading AbsoluteJudge::read() const {
  if (level_) return {level_->verdict(), {}, level_->why() + (basis_.empty() ? "" : ", " + basis_)};
  AbsoluteReading out{Verdict::Pass, {}, {}};
  for (const Bound& bound : bounds_) {
    const BudgetLook look = bound.budget.look();
    out.verdict = graver(out.verdict, look.verdict);
    out.why += fmt::format("{}{}, to be {}: {}", out.why.empty() ? "" : "; ", value(), bound.said,
                           look.why);
    out.statistics = {{"n", look.n}, {"x", look.x}};
    if (look.log_e_unats != kLogZero) out.statistics["log_e_unats"] = look.log_e_unats;
  }
  return out;
}

}  // namespace showcaller
