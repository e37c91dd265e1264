// SPDX-License-Identifier: Apache-2.0
// From evidence to one of five verdicts. The order: fail ends a stage; a wrong split sticks and
// bars fail, for nothing the arms say can be trusted then; without data blind; then pass; else
// thin.
#include <algorithm>
#include <cmath>

#include "analysis/bake_planner.h"
#include "analysis/gate_core.h"
#include "analysis/special.h"

namespace showcaller {

namespace {

constexpr double kNotWorseAlpha = 0.05;

}  // namespace

// Mantel and Haenszel's ratio over the strata: one in which an arm hardly played hardly counts. An
// arm without any event is taken to have had half of one.
double SeriesSums::ratio(bool swapped) const {
  const double canary = swapped ? information : matched;
  const double baseline = swapped ? matched : information;
  if (canary + baseline <= 0) return 1;
  if (baseline > 0) return canary / baseline;
  return canary / (0.5 * (1 - canary / (swapped ? reference : suspect)));
}

Verdict GateState::Core::decide() {
  if (skewed) return Verdict::Skewed;
  if (fails()) {
    failed = true;
    return Verdict::Fail;
  }
  if (blind()) return Verdict::Blind;
  return passes() ? Verdict::Pass : Verdict::Thin;
}

bool GateState::Core::fails() const {
  const double log_bar = std::log(e_threshold(plan->config.profile) * plan->config.strictness);
  if (evidence_may_reach(log_bar) && log_e_total(evidence()) >= log_bar) return true;
  for (std::size_t s = 0; s < plan->series.size(); ++s) {
    if (score_fires(s)) return true;
  }
  return false;
}

double GateState::Core::strictness_reached(double at_least) const {
  const GateProfile profile = plan->config.profile;
  double most = at_least;
  const double log_threshold = std::log(e_threshold(profile));
  if (evidence_may_reach(log_threshold + std::log(most)))
    most = std::max(most, std::exp(std::min(log_e_total(evidence()) - log_threshold, 50.0)));
  for (std::size_t s = 0; s < plan->series.size(); ++s) {
    const double reached = score_reached(s);
    if (reached <= 0) continue;
    const double alpha = score_alpha(profile) * plan->series[s].score_weight / 2;
    most = std::max(most, alpha / std::max(normal_tail(reached), 1e-30));
  }
  return most;
}

// A metric passes when it is certified; at the planned end power at its budget will do, if it does
// not look worse.
bool GateState::Core::is_settled(std::size_t m) const {
  if (certified[m]) return true;
  return t_s >= plan->config.planned_s && powered(m, noise(plan->metrics[m].top)) &&
         !looks_worse(m);
}

bool GateState::Core::passes() const {
  for (std::size_t m = 0; m < plan->metrics.size(); ++m) {
    if (!is_settled(m)) return false;
  }
  return true;
}

// A stage that is blind or skewed is so for all of its metrics.
Verdict GateState::Core::verdict_of(std::size_t m) const {
  if (verdict == Verdict::Blind || verdict == Verdict::Skewed) return verdict;
  return is_settled(m) ? Verdict::Pass : Verdict::Thin;
}

// One-sided p < 0.05, shared by the cuts of a quantile.
bool GateState::Core::looks_worse(std::size_t m) const {
  const MetricPlan& metric = plan->metrics[m];
  std::size_t judged = 0;
  for (std::size_t s = metric.first; s < metric.last; ++s) judged += plan->series[s].weight > 0;
  const double bar = normal_tail_inverse(kNotWorseAlpha / double(std::max<std::size_t>(1, judged)));
  for (std::size_t s = metric.first; s < metric.last; ++s) {
    if (plan->series[s].weight <= 0 || main[s].sums.suspect <= main[s].sums.expected) continue;
    if (score(s, noise(s)) >= bar) return true;
  }
  return false;
}

// The cut that speaks loudest; the top one when none does.
std::size_t GateState::Core::loudest_series(std::size_t m, const StageEvidence& evidence) const {
  const MetricPlan& metric = plan->metrics[m];
  std::size_t loudest = metric.last - 1;
  while (plan->series[loudest].weight <= 0 && loudest > metric.first) --loudest;
  double most = kLogNothing;
  bool fired = false;
  for (std::size_t s = metric.first; s < metric.last; ++s) {
    if (plan->series[s].weight <= 0) continue;
    const double log_e = evidence[s].log_e;
    const bool fires = evidence[s].score_fires;
    if (log_e > most || (fires && !fired)) {
      most = log_e;
      loudest = s;
    }
    fired = fired || fires;
  }
  return loudest;
}

MetricLook GateState::Core::look_at(std::size_t m, const StageEvidence& evidence) const {
  const MetricPlan& metric = plan->metrics[m];
  MetricLook out;
  out.name = plan->config.metrics[m].name;
  const std::size_t loudest = loudest_series(m, evidence);
  const SeriesPlan& series = plan->series[loudest];
  const WindowNoise& n = evidence[loudest].noise;
  const WindowNoise& of_top = evidence[metric.top].noise;
  out.at = series.at;
  out.divided_by = plan->config.metrics[m].divided_by;
  out.log_e_unats = to_unats(log_e_metric(m, evidence));
  out.score = score(loudest, n);
  out.phi = n.phi;
  out.tau = plan->config.assignment == Assignment::Instance ? std::sqrt(n.tau2) : 0;
  // What is thin is so for the whole stage.
  const std::size_t k = verdict == Verdict::Fail ? telling_window(evidence[loudest]) : 0;
  const auto since = [&](const std::vector<double>& totals,
                         const std::vector<double> Restart::* then, std::size_t column) {
    const double before = k > 0 ? (restarts[k - 1].*then)[column] : 0;
    return std::int64_t(totals[column] - before);
  };
  out.canary_n = since(canary_totals, &Restart::canary_totals, metric.n_column);
  out.canary_x = since(canary_totals, &Restart::canary_totals, series.canary_column);
  out.baseline_n = since(baseline_totals, &Restart::baseline_totals, metric.n_column);
  out.baseline_x = since(baseline_totals, &Restart::baseline_totals, series.baseline_column);
  // During the warm-up there is only what the catastrophe process saw.
  const SeriesWindow shown = window(loudest, k);
  const SeriesSums& late = shown.sums;
  const SeriesSums& sums = late.suspect + late.reference > 0 ? late : warm[loudest].sums;
  out.ratio = sums.ratio(metric.swapped);
  const auto [low, high] = ratio_interval(loudest, n);
  out.ratio_low = metric.swapped ? (high > 0 ? 1 / high : 0) : low;
  out.ratio_high = metric.swapped ? (low > 0 ? 1 / low : 0) : high;
  out.log_safe_unats = to_unats(log_safe(m, evidence[metric.certifier].noise));
  out.powered = powered(m, of_top);
  const double all = double(out.canary_n + out.baseline_n);
  const double share = all > 0 ? double(out.canary_n) / all : plan->config.share;
  const double needed = share > 0 && share < 1 ? canary_units_needed(m, share, of_top) : INFINITY;
  out.canary_n_needed = std::isfinite(needed) ? std::ceil(needed) : 0;
  for (std::size_t s = metric.first; s < metric.last; ++s)
    out.blamed = out.blamed || evidence[s].score_fires;
  return out;
}

}  // namespace showcaller
