// SPDX-License-Identifier: Apache-2.0
// What a gate tells: which metrics are to blame, why, and what would settle it.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/bake_planner.h"
#include "analysis/gate_core.h"
#include "analysis/sample_ratio.h"

namespace showcaller {
namespace {

constexpr double kBlameLevel = 0.05;

// e-BH (Wang and Ramdas): the k largest, for the largest k with E_(k) >= K / (k level). Holds
// whatever the dependence.
void blame(std::vector<MetricLook>* metrics) {
  std::vector<MetricLook*> sorted;
  for (auto& m : *metrics) sorted.push_back(&m);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](auto* a, auto* b) { return a->log_e_unats > b->log_e_unats; });
  std::size_t guilty = 0;
  for (std::size_t k = 1; k <= sorted.size(); ++k) {
    const double bar = std::log(double(sorted.size()) / (double(k) * kBlameLevel));
    if (sorted[k - 1]->log_e_unats >= to_unats(bar)) guilty = k;
  }
  for (std::size_t k = 0; k < guilty; ++k) sorted[k]->blamed = true;
  const bool any = std::any_of(sorted.begin(), sorted.end(), [](auto* m) { return m->blamed; });
  if (!any && !sorted.empty()) sorted[0]->blamed = true;
}

std::string share_text(std::int64_t x, std::int64_t n) {
  if (n <= 0) return "no data";
  const double percent = 100 * double(x) / double(n);
  return percent < 1 ? fmt::format("{:.3f} %", percent) : fmt::format("{:.2f} %", percent);
}

std::string e_text(std::int64_t log_e_unats) {
  if (log_e_unats == kLogZero) return "0";
  const double log_e = double(log_e_unats) * 1e-6;
  return log_e > 13.8 ? fmt::format("e^{:.0f}", log_e) : fmt::format("{:.3g}", std::exp(log_e));
}

std::string describe(const MetricLook& m, std::int64_t since_s) {
  const std::string times = m.divided_by != 1 ? fmt::format("{:.3g} x ", m.divided_by) : "";
  const std::string where =
      m.at > 0 ? fmt::format(" above {}the baseline's p{:.4g}", times, m.at * 100) : "";
  const std::string counts =
      m.canary_n > 0 ? fmt::format(" ({} against {}, n = {})", share_text(m.canary_x, m.canary_n),
                                   share_text(m.baseline_x, m.baseline_n), m.canary_n)
                     : std::string(" (in the warm-up)");
  const std::string since =
      since_s > 0 ? fmt::format(" since minute {}", since_s / 60) : std::string();
  return fmt::format("{}{} is {:.2f} times the baseline{}{}, E = {}, z = {:.1f}", m.name, where,
                     m.ratio, since, counts, e_text(m.log_e_unats), m.score);
}

std::string duration_text(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f}s", std::ceil(seconds));
  if (seconds < 5400) return fmt::format("{:.0f}m", std::ceil(seconds / 60));
  return fmt::format("{:.1f}h", seconds / 3600);
}

}  // namespace

GateLook GateState::Core::look() const {
  GateLook out;
  out.verdict = verdict;
  out.t_s = t_s;
  const StageEvidence evidence = this->evidence();
  out.log_e_unats = to_unats(log_e_total(evidence));
  out.log_threshold_unats =
      to_unats(std::log(e_threshold(plan->config.profile) * plan->config.strictness));
  out.log_sample_ratio_unats = to_unats(log_sample_ratio_worst());
  for (std::size_t m = 0; m < plan->metrics.size(); ++m)
    out.metrics.push_back(look_at(m, evidence));
  if (verdict == Verdict::Fail) {
    blame(&out.metrics);
  } else {
    for (auto& m : out.metrics) m.blamed = false;
  }
  for (std::size_t i = 0; i < out.metrics.size(); ++i)
    out.metrics[i].verdict = out.metrics[i].blamed ? Verdict::Fail : verdict_of(i);
  out.why = why(out, evidence);
  return out;
}

std::string GateState::Core::why(const GateLook& look, const StageEvidence& evidence) const {
  switch (look.verdict) {
    case Verdict::Fail: {
      std::string text;
      for (std::size_t i = 0; i < look.metrics.size(); ++i) {
        if (!look.metrics[i].blamed) continue;
        const std::size_t k = telling_window(evidence[loudest_series(i, evidence)]);
        text +=
            (text.empty() ? "" : "; ") + describe(look.metrics[i], k > 0 ? restarts[k - 1].t_s : 0);
      }
      return text;
    }
    case Verdict::Skewed:
      return fmt::format(
          "units do not reach the arms in the planned share of {:.4g} % (log Bayes factor {:.1f}); "
          "nothing the arms say "
          "can be trusted: look for a canary that dies before its first event, or a wrong split",
          plan->config.share * 100, double(look.log_sample_ratio_unats) * 1e-6);
    case Verdict::Blind: {
      const ArmPresence* silent = blind_arm();
      if (!silent) return "no telemetry of the arms";
      return fmt::format("no telemetry from the {} for {} ticks; check its reporting",
                         silent == &canary ? "canary" : "baseline",
                         std::max(silent->absent_ticks, silent->quiet_ticks));
    }
    case Verdict::Pass:
      if (std::find(certified.begin(), certified.end(), false) == certified.end()) {
        return t_s < plan->config.planned_s
                   ? "every metric is shown to be within its budget, ahead of the planned end"
                   : "every metric is shown to be within its budget";
      }
      return "no metric is worse, and the stage could have seen a growth as large as its budget";
    case Verdict::Thin:
      return why_thin(look, evidence);
  }
  return "";
}

// Names the metric that is furthest from an answer, and what would give it.
std::string GateState::Core::why_thin(const GateLook& look, const StageEvidence& evidence) const {
  const GateConfig& config = plan->config;
  const double baked = double(t_s - config.warmup_s);
  if (baked <= 0) return fmt::format("still in the warm-up of {} s", config.warmup_s);
  const MetricLook* worst = nullptr;
  std::size_t worst_index = 0;
  double worst_gap = 0;
  for (std::size_t m = 0; m < look.metrics.size(); ++m) {
    const MetricLook& metric = look.metrics[m];
    if (metric.verdict == Verdict::Pass) continue;
    if (metric.powered && t_s >= config.planned_s) {
      return fmt::format("{}: it looks worse, but not beyond doubt; bake on, or widen the share",
                         describe(metric, 0));
    }
    const double gap = metric.canary_n_needed > 0
                           ? metric.canary_n_needed / std::max(1.0, double(metric.canary_n))
                           : INFINITY;
    if (!worst || gap > worst_gap) {
      worst = &metric;
      worst_index = m;
      worst_gap = gap;
    }
  }
  if (!worst) return "not every metric is settled";
  const double budget = budget_ratio(config.metrics[worst_index]);
  std::string text = fmt::format(
      "{}: {} canary {} seen", worst->name, worst->canary_n,
      config.metrics[worst_index].kind == MetricKind::Rate ? "player-seconds" : "units");
  if (worst->baseline_x == 0)
    return text + ", and no event in the baseline to compare with; bake on";
  const WindowNoise& n = evidence[plan->metrics[worst_index].top].noise;
  if (worst->canary_n_needed <= 0) {
    BakeQuestion q;
    q.ratio = budget;
    q.profile = config.profile;
    q.assignment = config.assignment;
    q.score_weight = plan->series[plan->metrics[worst_index].top].score_weight;
    q.noise = {.tau = std::sqrt(n.tau2), .nu = n.nu};
    q.nu = n.nu;
    q.baseline_instances = std::max(1.0, n.baseline_groups);
    const int instances = canary_instances_needed(q);
    const std::string remedy =
        instances > 0 ? fmt::format("needs at least {} canary instances", instances)
                      : std::string("needs more baseline instances, or a larger must_detect");
    return fmt::format(
        "{}; instances differ too much (sd {:.2f} in log rate) to see a growth to {:.3g}x however "
        "long it "
        "bakes: {}",
        text, std::sqrt(n.tau2), budget, remedy);
  }
  const double per_second = double(worst->canary_n) / baked;
  text += fmt::format(", {:.0f} needed to see a growth to {:.3g}x with 80 % power",
                      worst->canary_n_needed, budget);
  if (t_s < config.planned_s &&
      worst->canary_n_needed <= per_second * double(config.planned_s - config.warmup_s)) {
    return fmt::format("{}: expected by second {:.0f}", text,
                       double(config.warmup_s) + worst->canary_n_needed / per_second);
  }
  if (per_second > 0) {
    text +=
        fmt::format("; at this rate a bake of {}",
                    duration_text(double(config.warmup_s) + worst->canary_n_needed / per_second));
  }
  const double all = double(worst->canary_n + worst->baseline_n);
  const double share_now = all > 0 ? double(worst->canary_n) / all : 0;
  for (int percent = 1; percent <= 50 && share_now > 0; ++percent) {
    const double share = percent / 100.0;
    if (share <= share_now) continue;
    const double units = all / baked * share * double(config.planned_s - config.warmup_s);
    if (canary_units_needed(worst_index, share, n) <= units) {
      return fmt::format("{}, or a share of {} % over the planned time, would settle it", text,
                         percent);
    }
  }
  return text + " would settle it";
}

}  // namespace showcaller
