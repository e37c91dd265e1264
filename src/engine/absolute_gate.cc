// SPDX-License-Identifier: Apache-2.0
#include "engine/absolute_gate.h"

#include <cmath>

#include <fmt/format.h>

#include "analysis/special.h"

namespace showcaller {
namespace {

constexpr double kThreshold =
    200;  // 1 / alpha: a false alarm in 200 stages, however often it is looked at
constexpr std::int64_t kUnitsMin = 30;  // before a rate within its budget is called so

// Log of the beta-binomial mixture over "the share is p0", with a prior of two pseudo-units around
// it.
double log_e_share(double x, double n, double p0) {
  p0 = std::min(std::max(p0, 1e-9), 1 - 1e-9);
  const double a = 2 * p0 + 0.5;
  const double b = 2 * (1 - p0) + 0.5;
  return log_beta(x + a, n - x + b) - log_beta(a, b) - x * std::log(p0) - (n - x) * std::log1p(-p0);
}

// The same for a rate of events an exposure: gamma-Poisson.
double log_e_rate(double x, double n, double rate) {
  rate = std::max(rate, 1e-12);
  const double a = 1;
  const double b = a / rate;
  return a * std::log(b) + log_gamma(x + a) - log_gamma(a) - (x + a) * std::log(n + b) -
         x * std::log(rate) + n * rate;
}

AbsoluteReading judge_level(const AbsoluteGate& gate, const AbsoluteCounts& counts) {
  if (!counts.level) return {Verdict::Blind, {}, "its level is not known"};
  const double level = *counts.level;
  const bool low = gate.at_least && level < *gate.at_least;
  const bool high = gate.at_most && level > *gate.at_most;
  return {low || high ? Verdict::Fail : Verdict::Pass,
          {{"level", level}},
          fmt::format("{:.4g}, to be {}", level,
                      gate.at_least ? fmt::format("at least {:.4g}", *gate.at_least)
                                    : fmt::format("at most {:.4g}", gate.at_most.value_or(0)))};
}

struct Share {
  double x = 0, n = 0, limit = 0;
  bool above = true;  // fails when the share is above the limit
  std::string said;
};

// "p99 at most 250 ms" is "at most 1 % above 250 ms".
Share share_of(const AbsoluteGate& gate, const AbsoluteCounts& counts) {
  const bool above = gate.at_most.has_value();
  const double limit = above ? *gate.at_most : gate.at_least.value_or(0);
  if (gate.type != MetricType::Quantile) {
    return {double(counts.x), double(counts.n), limit, above,
            fmt::format("{:.4g} of {}, to be at {} {:.4g}",
                        counts.n > 0 ? double(counts.x) / double(counts.n) : 0.0, counts.n,
                        above ? "most" : "least", limit)};
  }
  const double n = counts.histogram ? double(counts.histogram->count()) : 0;
  const double x = counts.histogram ? double(counts.histogram->count_above(limit)) : 0;
  const double q = gate.quantile.value_or(0.99);
  return {x, n, 1 - q, above,
          fmt::format("p{:g} is {:.4g} over {:.0f}, to be at {} {:.4g}", 100 * q,
                      counts.histogram ? counts.histogram->quantile(q) : 0.0, n,
                      above ? "most" : "least", limit)};
}

}  // namespace

AbsoluteReading judge_absolute(const AbsoluteGate& gate, const AbsoluteCounts& counts) {
  if (gate.metric == "capacity.headroom") return judge_level(gate, counts);
  const Share share = share_of(gate, counts);
  if (share.n <= 0) return {Verdict::Blind, {}, "the canary has shown nothing of it yet"};
  const bool counts_may_exceed = gate.type == MetricType::Count || gate.type == MetricType::Rate;
  const double log_e = counts_may_exceed
                           ? log_e_rate(share.x, share.n, share.limit)
                           : log_e_share(std::min(share.x, share.n), share.n, share.limit);
  const double observed = share.x / share.n;
  const bool worse = share.above ? observed > share.limit : observed < share.limit;
  json::object statistics{
      {"n", share.n}, {"x", share.x}, {"log_e_unats", std::llround(1e6 * log_e)}};
  if (worse && log_e >= std::log(kThreshold))
    return {Verdict::Fail, std::move(statistics), share.said};
  const bool enough = share.n >= double(kUnitsMin);
  return {!worse && enough ? Verdict::Pass : Verdict::Thin, std::move(statistics), share.said};
}

}  // namespace showcaller
