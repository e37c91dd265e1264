// SPDX-License-Identifier: Apache-2.0
#include "analysis/budget.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/bake_planner.h"
#include "analysis/gate_core.h"
#include "analysis/likelihood_grid.h"

namespace showcaller {
namespace {

constexpr double kCertificate = 60;
constexpr std::int64_t kRestartEvery_s = 600;
constexpr std::size_t kRestartsMax =
    144;  // a day of them; older ones have said what they had to say
constexpr int kBlindTicks = 3;
constexpr double kEventsMin = 3;

// Poisson log-likelihood ratio of rate at_most * e^beta against at_most.
GridRow likelihood(double n, double x, double at_most) {
  GridRow l;
  const GridAxis& axis = grid_axis();
  const double expected = n * at_most;
  for (std::size_t j = 0; j < kGridNodes; ++j)
    l[j] = x * axis.beta[j] - expected * axis.exp_beta_less_one[j];
  return l;
}

}  // namespace

double log_e_above(double n, double x, double at_most, double phi) {
  static const GridMixture worse = mixture_above(0, {{0.1, 0.25}, {0.4, 0.45}, {1.2, 0.30}});
  if (x < kEventsMin || x <= n * at_most) return kLogNothing;
  return log_mixture(likelihood(n, x, at_most), phi, worse);
}

double log_e_below(double n, double x, double at_most, double phi) {
  static const GridMixture better = mixture_below(0, {{0.1, 0.25}, {0.4, 0.45}, {1.2, 0.30}});
  if (x >= n * at_most) return kLogNothing;
  return log_mixture(likelihood(n, x, at_most), phi, better);
}

double BudgetState::log_e() const {
  LogSum sum;
  sum.add(exact_log(0.75) + log_e_above(double(n_), double(x_), config_.at_most, config_.phi));
  for (std::size_t k = 0; k < restarts_.size(); ++k) {
    const double weight = 0.25 / (double(k + 1) * double(k + 2));
    sum.add(exact_log(weight) + log_e_above(double(n_ - restarts_[k].n),
                                            double(x_ - restarts_[k].x), config_.at_most,
                                            config_.phi));
  }
  return sum.value();
}

Verdict BudgetState::feed(std::int64_t t_s, std::int64_t n, std::int64_t x) {
  if (failed_) return Verdict::Fail;
  const std::int64_t start_s = t_s - config_.tick_s;
  while (restarts_.size() < kRestartsMax &&
         std::int64_t(restarts_.size() + 1) * kRestartEvery_s <= start_s) {
    restarts_.push_back({n_, x_});
  }
  last_t_s_ = t_s;
  silent_ticks_ = n > 0 ? 0 : silent_ticks_ + 1;
  n_ += n;
  x_ += x;
  failed_ = log_e() >= std::log(e_threshold(config_.profile));
  return look().verdict;
}

BudgetLook BudgetState::look() const {
  BudgetLook out;
  out.n = n_;
  out.x = x_;
  out.rate = n_ > 0 ? double(x_) / double(n_) : 0;
  out.log_e_unats = to_unats(log_e());
  const double log_safe = log_e_below(double(n_), double(x_), config_.at_most, config_.phi);
  out.log_safe_unats = to_unats(log_safe);
  const std::string rates = fmt::format("{} of {} ({:.4g} %) against a budget of {:.4g} %", x_, n_,
                                        out.rate * 100, config_.at_most * 100);
  if (failed_) {
    out.verdict = Verdict::Fail;
    out.why = rates + ": broken";
  } else if (silent_ticks_ >= kBlindTicks) {
    out.verdict = Verdict::Blind;
    out.why = fmt::format("no data for {} ticks", silent_ticks_);
  } else if (log_safe >= std::log(kCertificate)) {
    out.verdict = Verdict::Pass;
    out.why = rates + ": kept";
  } else {
    out.why = rates + ": not enough to say";
  }
  return out;
}

Verdict LevelState::feed(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) {
    // What was known keeps until the silence is long.
    if (++silent_ >= kBlindTicks) {
      verdict_ = Verdict::Blind;
      beyond_ = within_ = 0;
    }
    return verdict_;
  }
  silent_ = 0;
  last_ = value;
  const bool beyond = (config_.at_least && *value < *config_.at_least) ||
                      (config_.at_most && *value > *config_.at_most);
  beyond_ = beyond ? beyond_ + 1 : 0;
  within_ = beyond ? 0 : within_ + 1;
  if (beyond_ >= config_.ticks_to_fail) {
    verdict_ = Verdict::Fail;
  } else if (within_ >= (verdict_ == Verdict::Fail ? config_.ticks_to_clear : 1)) {
    verdict_ = Verdict::Pass;
  } else if (verdict_ != Verdict::Fail) {
    verdict_ = Verdict::Thin;
  }
  return verdict_;
}

std::string LevelState::why() const {
  if (verdict_ == Verdict::Blind) return "no value for three ticks";
  if (!last_) return "no value yet";
  std::string bar;
  if (config_.at_least) bar = fmt::format("at least {:.4g}", *config_.at_least);
  if (config_.at_most)
    bar += fmt::format("{}at most {:.4g}", bar.empty() ? "" : " and ", *config_.at_most);
  return fmt::format("{:.4g}, asked for {}", *last_, bar);
}

}  // namespace showcaller
