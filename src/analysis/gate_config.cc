// SPDX-License-Identifier: Apache-2.0
// Words, checks and the plan of a stage: which series there are, what each weighs, where its
// margins lie.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "analysis/bake_planner.h"
#include "analysis/gate_core.h"
#include "analysis/special.h"
#include "base/check.h"

namespace showcaller {
namespace {

// Of all weight, what the metrics take when their weights are only relative; the rest watches for
// catastrophes.
constexpr double kMetricsWeight = 0.96;
constexpr double kCatastropheRatio = 2.5;
constexpr double kCatastropheRatioTail = 4;
// must_detect of a quantile that has none, of its values and of the share above the top cut; as far
// beyond the margin where that is wider than usual.
constexpr double kLatencyGrowthSeen = 1.25;
constexpr double kTopCutRatio = 1.9;
constexpr double kUsualMargin = 1.10;
constexpr std::size_t kMetricsMax = 64;
constexpr std::size_t kCutsMax = 16;

template <class E, std::size_t N>
std::optional<E> parse_word(std::string_view text,
                            const std::pair<std::string_view, E> (&words)[N]) {
  for (const auto& [word, value] : words) {
    if (word == text) return value;
  }
  return std::nullopt;
}

Status check_metric(const GateMetric& m) {
  if (m.name.empty()) return fail(ErrorCode::Invalid, "a metric has no name");
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorCode::Invalid, fmt::format("metric {}: {}", m.name, what));
  };
  if (!(m.weight >= 0 && m.weight <= 1e6)) return wrong("weight is outside 0 to 1e6");
  if (!(m.worse_by_at_most >= 0 && m.worse_by_at_most <= 10))
    return wrong("worse_by_at_most is outside 0 to 10");
  if (m.better == Better::Higher && m.worse_by_at_most >= 1)
    return wrong("it cannot fall by its whole");
  if (m.must_detect != 0 && !(m.must_detect > 1 && m.must_detect <= 1000)) {
    return wrong("must_detect is a factor above 1, at most 1000");
  }
  if (m.must_detect != 0 && m.must_detect <= 1 + m.worse_by_at_most) {
    return wrong("must_detect is not above what worse_by_at_most accepts");
  }
  if (!(m.prior.tau > 0 && m.prior.tau <= 2 && m.prior.nu > 0 && m.prior.nu <= 1000)) {
    return wrong("prior is outside tau 0 to 2, nu 0 to 1000");
  }
  if (m.kind != MetricKind::Quantile) {
    if (!m.cuts.empty() || !m.at.empty() || m.scaled_by != 0 || m.divided_by != 1) {
      return wrong("only quantile metrics have `at`, `cuts`, `divided_by` and `scaled_by`");
    }
    return {};
  }
  if (m.cuts.empty() || m.cuts.size() > kCutsMax)
    return wrong(fmt::format("it needs 1 to {} cuts", kCutsMax));
  if (m.at.size() != m.cuts.size()) return wrong("`at` and `cuts` have different lengths");
  for (std::size_t i = 0; i < m.cuts.size(); ++i) {
    if (!(m.at[i] > 0 && m.at[i] < 1)) return wrong("`at` holds a quantile outside 0 to 1");
    if (!std::isfinite(m.cuts[i]) || !(m.cuts[i] > 0))
      return wrong("`cuts` holds a value that is not positive");
    if (i > 0 && (m.at[i] <= m.at[i - 1] || m.cuts[i] <= m.cuts[i - 1]))
      return wrong("`at` and `cuts` must ascend");
  }
  if (m.scaled_by != 0 && !(m.scaled_by > 1 && m.scaled_by <= 10))
    return wrong("scaled_by is outside 1 to 10");
  const double least = m.better == Better::Higher ? 1 - m.worse_by_at_most : 1;
  const double most = m.better == Better::Higher ? 1 : 1 + m.worse_by_at_most;
  constexpr double kRounding = 1e-9;
  if (!(m.divided_by >= least - kRounding && m.divided_by <= most + kRounding))
    return wrong("divided_by is beyond what worse_by_at_most accepts");
  return {};
}

// What a growth of the values by a factor does to the share above cut i, from the frozen cuts
// themselves: between two cuts the tail falls as a power of the value.
double exceedance_log_ratio(const GateMetric& m, std::size_t cut, double log_factor) {
  if (m.cuts.size() < 2)
    return 3 * log_factor;  // a tail like that of a lognormal with sigma 0.8 at its 99th percentile
  const std::size_t i = std::max<std::size_t>(cut, 1);
  const double slope =
      std::log((1 - m.at[i - 1]) / (1 - m.at[i])) / std::log(m.cuts[i] / m.cuts[i - 1]);
  // A share cannot pass one.
  return std::min(slope * log_factor, std::log(0.95 / (1 - m.at[cut])));
}

// Of a quantile, what is left of the margin where the canary's values were divided before they were
// counted.
double series_margin(const GateMetric& m, std::size_t cut) {
  if (m.worse_by_at_most == 0) return 0;
  const double log_margin = m.better == Better::Higher ? -std::log1p(-m.worse_by_at_most)
                                                       : std::log1p(m.worse_by_at_most);
  if (m.kind != MetricKind::Quantile) return log_margin;
  const double left = log_margin - std::abs(std::log(m.divided_by));
  return std::max(0.0, exceedance_log_ratio(m, cut, left));
}

double wider_than_usual(const GateMetric& m) {
  return std::max(1.0, (1 + m.worse_by_at_most) / kUsualMargin);
}

// How a quantile metric's weight falls on its cuts. Measured: the top cut alone is the weakest
// statistic.
std::vector<double> cut_weights(std::size_t cuts, bool for_score) {
  if (cuts != 4) return std::vector<double>(cuts, 1.0 / double(cuts));
  if (for_score) return {0.05 / 0.40, 0.15 / 0.40, 0.08 / 0.40, 0.12 / 0.40};
  return {0.05 / 0.34, 0.11 / 0.34, 0.07 / 0.34, 0.11 / 0.34};
}

std::vector<double> metric_weights(const GateConfig& config) {
  std::vector<double> weights;
  double sum = 0;
  int given = 0;
  for (const auto& m : config.metrics) {
    weights.push_back(m.weight);
    sum += m.weight;
    given += m.weight > 0;
  }
  // A metric without a weight weighs like the mean of those that have one.
  const double mean = given > 0 ? sum / given : 1;
  for (double& w : weights) {
    if (w == 0) {
      w = mean;
      sum += mean;
    }
  }
  // Weights that add up to nearly one are meant as they are; others are relative.
  if (given > 0 && sum >= 0.5 && sum <= 0.98) return weights;
  for (double& w : weights) w *= kMetricsWeight / sum;
  return weights;
}

double safe_margin_of(const GateMetric& m) {
  return std::max(std::log(budget_ratio(m)),
                  series_margin(m, m.cuts.empty() ? 0 : m.cuts.size() - 1) + 0.05);
}

// A stage that is only asked for large growths may be short: it can do with fewer baseline events.
double baseline_events_of(const GateConfig& config, const GateMetric& m) {
  const double least = double(config.baseline_events_min);
  if (m.must_detect <= 2) return least;
  return std::min(least, std::max(3.0, std::ceil(2 * least / m.must_detect)));
}

SeriesPlan make_series(const GateConfig& config, std::size_t metric, std::size_t cut) {
  const GateMetric& m = config.metrics[metric];
  const bool quantile = m.kind == MetricKind::Quantile;
  const bool top = !quantile || cut + 1 == m.cuts.size();
  SeriesPlan s;
  s.metric = metric;
  s.at = quantile ? m.at[cut] : 0;
  s.baseline_events_min = baseline_events_of(config, m);
  const double margin = series_margin(m, cut);
  const double disaster = std::max(std::log(quantile ? kCatastropheRatioTail : kCatastropheRatio),
                                   margin + std::log(1.5));
  s.margins = grid_margins(margin, disaster, safe_margin_of(m));
  s.worse = mixture_above(margin, {{0.1, 0.25}, {0.4, 0.45}, {1.2, 0.30}});
  s.catastrophe = top;
  s.certifies = top && m.scaled_by == 0;
  if (top) {
    s.disaster = mixture_above(disaster, {{0.7, 1.0}});
    s.disaster_null = mixture_student(disaster, 0.25, 6);
    s.safe = mixture_safe(s.safe_margin(), 0.15);
  }
  return s;
}

// The certificate for a quantile whose canary was also counted at the scaled cut: "values / scale
// are not above".
SeriesPlan make_scaled_series(const GateConfig& config, std::size_t metric) {
  const GateMetric& m = config.metrics[metric];
  SeriesPlan s;
  s.metric = metric;
  s.at = m.at.back();
  s.margins = grid_margins(0, std::log(kCatastropheRatioTail), 0);
  s.certifies = true;
  s.baseline_events_min = baseline_events_of(config, m);
  s.safe = mixture_safe(
      0, 0.15 + std::abs(exceedance_log_ratio(m, m.cuts.size() - 1, std::log(m.scaled_by))));
  return s;
}

}  // namespace

std::string_view to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::Binary:
      return "binary";
    case MetricKind::Count:
      return "count";
    case MetricKind::Rate:
      return "rate";
    case MetricKind::Quantile:
      return "quantile";
  }
  return "";
}

std::string_view to_string(Assignment assignment) {
  return assignment == Assignment::Player ? "player" : "instance";
}

std::string_view to_string(GateProfile profile) {
  return profile == GateProfile::Guaranteed ? "G1" : "C";
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Pass:
      return "pass";
    case Verdict::Fail:
      return "fail";
    case Verdict::Thin:
      return "thin";
    case Verdict::Blind:
      return "blind";
    case Verdict::Skewed:
      return "skewed";
  }
  return "";
}

std::optional<MetricKind> parse_metric_kind(std::string_view text) {
  return parse_word<MetricKind>(text, {{"binary", MetricKind::Binary},
                                       {"count", MetricKind::Count},
                                       {"rate", MetricKind::Rate},
                                       {"quantile", MetricKind::Quantile}});
}

std::optional<Assignment> parse_assignment(std::string_view text) {
  return parse_word<Assignment>(
      text, {{"player", Assignment::Player}, {"instance", Assignment::Instance}});
}

std::optional<GateProfile> parse_gate_profile(std::string_view text) {
  return parse_word<GateProfile>(text,
                                 {{"G1", GateProfile::Guaranteed}, {"C", GateProfile::Calibrated}});
}

std::optional<Verdict> parse_verdict(std::string_view text) {
  return parse_word<Verdict>(text, {{"pass", Verdict::Pass},
                                    {"fail", Verdict::Fail},
                                    {"thin", Verdict::Thin},
                                    {"blind", Verdict::Blind},
                                    {"skewed", Verdict::Skewed}});
}

Status check(const GateConfig& config) {
  if (config.metrics.empty()) return fail(ErrorCode::Invalid, "a gate needs at least one metric");
  if (config.metrics.size() > kMetricsMax) {
    return fail(ErrorCode::Limit, fmt::format("a gate has at most {} metrics", kMetricsMax));
  }
  std::set<std::string> names;
  for (const GateMetric& m : config.metrics) {
    TRY(check_metric(m));
    if (!names.insert(m.name).second) {
      return fail(ErrorCode::Invalid, fmt::format("metric {} appears twice", m.name));
    }
  }
  if (config.tick_s < 1 || config.tick_s > 3600)
    return fail(ErrorCode::Invalid, "tick_s is outside 1 to 3600");
  if (config.warmup_s < 0 || config.warmup_s > 86'400) {
    return fail(ErrorCode::Invalid, "warmup_s is outside 0 to 86400");
  }
  if (config.planned_s <= config.warmup_s || config.planned_s > 400 * 86'400LL) {
    return fail(ErrorCode::Invalid,
                "planned_s is not longer than warmup_s, or longer than 400 days");
  }
  if (config.share != 0 && !(config.share > 0 && config.share < 1)) {
    return fail(ErrorCode::Invalid, "share is outside 0 to 1");
  }
  if (config.canary_events_min < 1 || config.baseline_events_min < 1) {
    return fail(ErrorCode::Invalid, "the least numbers of events are 1 or more");
  }
  if (!(config.strictness >= 1 && config.strictness <= 1000))
    return fail(ErrorCode::Invalid, "strictness is outside 1 to 1000");
  if (config.canary_instances_min < 4) {
    return fail(ErrorCode::Invalid, "canary_instances_min is below 4");
  }
  return {};
}

TickShape shape_of(const GateConfig& config) {
  TickShape shape;
  for (const GateMetric& m : config.metrics) {
    const bool quantile = m.kind == MetricKind::Quantile;
    shape.metrics.push_back(
        {m.name, quantile ? 1 + m.cuts.size() + (m.scaled_by > 0 ? 1 : 0) : 2, quantile});
  }
  return shape;
}

double ratio_of_points(double points, double baseline_rate) {
  return baseline_rate > 0 ? std::clamp(points / baseline_rate, 0.0, 10.0) : 0;
}

double budget_ratio(const GateMetric& m) {
  if (m.kind == MetricKind::Quantile) {
    if (m.cuts.empty()) return kTopCutRatio;
    const std::size_t top = m.cuts.size() - 1;
    // What was counted by values is asked for by values.
    const bool by_values = m.must_detect > 0 || m.divided_by != 1;
    const double log_ratio =
        by_values
            ? exceedance_log_ratio(m, top, std::log(latency_growth_seen(m)))
            : std::log(kTopCutRatio) + exceedance_log_ratio(m, top, std::log(wider_than_usual(m)));
    const double counted = exceedance_log_ratio(m, top, std::abs(std::log(m.divided_by)));
    return std::max(1.05, std::exp(log_ratio - counted));
  }
  if (m.must_detect > 0) return m.must_detect;
  const double usual = m.name.find("crash") != std::string::npos ? 2.0 : 1.5;
  return std::max(usual, (1 + m.worse_by_at_most) * 1.2);
}

double latency_growth_seen(const GateMetric& m) {
  return m.must_detect > 0 ? m.must_detect : kLatencyGrowthSeen * wider_than_usual(m);
}

std::shared_ptr<const GatePlan> make_gate_plan(GateConfig config) {
  CHECK(check(config).has_value());
  auto plan = std::make_shared<GatePlan>();
  plan->shape = shape_of(config);
  plan->width = plan->shape.width();
  const std::vector<double> weights = metric_weights(config);
  double sum = 0;
  for (const double w : weights) sum += w;
  for (std::size_t i = 0; i < config.metrics.size(); ++i) {
    const GateMetric& m = config.metrics[i];
    MetricPlan metric;
    metric.n_column = plan->shape.offset(i);
    metric.first = plan->series.size();
    metric.weight = weights[i];
    metric.catastrophe_weight = (1 - sum) / double(config.metrics.size());
    metric.swapped = m.better == Better::Higher;
    const std::size_t cuts = m.kind == MetricKind::Quantile ? m.cuts.size() : 1;
    const auto for_evidence = cut_weights(cuts, false);
    const auto for_score = cut_weights(cuts, true);
    for (std::size_t cut = 0; cut < cuts; ++cut) {
      SeriesPlan s = make_series(config, i, cut);
      s.canary_column = s.baseline_column = metric.n_column + 1 + cut;
      s.weight = weights[i] * for_evidence[cut];
      s.score_weight = weights[i] / sum * for_score[cut];
      s.score_critical =
          normal_tail_inverse(score_alpha(config.profile) / config.strictness * s.score_weight / 2);
      plan->series.push_back(std::move(s));
    }
    metric.top = metric.certifier = plan->series.size() - 1;
    metric.last = plan->series.size();
    if (m.scaled_by > 0) {
      SeriesPlan s = make_scaled_series(config, i);
      s.canary_column = metric.n_column + 1 + cuts;
      s.baseline_column = metric.n_column + cuts;
      metric.certifier = plan->series.size();
      metric.last = plan->series.size() + 1;
      plan->series.push_back(std::move(s));
    }
    plan->metrics.push_back(metric);
  }
  plan->config = std::move(config);
  return plan;
}

}  // namespace showcaller
