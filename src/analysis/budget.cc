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
constexpr double kLikelySome = 5;  // units expected: that none of them came is no accident

// Poisson log-likelihood ratio of rate limit * e^beta against the limit. A share's is below it, so
// that it holds for shares too.
GridRow likelihood(double n, double x, double limit) {
  GridRow l;
  const GridAxis& axis = grid_axis();
  const double expected = n * limit;
  for (std::size_t j = 0; j < kGridNodes; ++j)
    l[j] = x * axis.beta[j] - expected * axis.exp_beta_less_one[j];
  return l;
}

}  // namespace

double log_e_above(double n, double x, double limit, double phi) {
  static const GridMixture worse = mixture_above(0, {{0.1, 0.25}, {0.4, 0.45}, {1.2, 0.30}});
  if (x < kEventsMin || x <= n * limit) return kLogNothing;
  return log_mixture(likelihood(n, x, limit), phi, worse);
}

double log_e_below(double n, double x, double limit, double phi) {
  static const GridMixture better = mixture_below(0, {{0.1, 0.25}, {0.4, 0.45}, {1.2, 0.30}});
  if (x >= n * limit) return kLogNothing;
  return log_mixture(likelihood(n, x, limit), phi, better);
}

double BudgetState::log_broken(std::int64_t n, std::int64_t x) const {
  return config_.side == BudgetSide::AtMost
             ? log_e_above(double(n), double(x), config_.limit, config_.phi)
             : log_e_below(double(n), double(x), config_.limit, config_.phi);
}

double BudgetState::log_kept() const {
  return config_.side == BudgetSide::AtMost
             ? log_e_below(double(n_), double(x_), config_.limit, config_.phi)
             : log_e_above(double(n_), double(x_), config_.limit, config_.phi);
}

double BudgetState::log_e() const {
  LogSum sum;
  sum.add(exact_log(0.75) + log_broken(n_, x_));
  for (std::size_t k = 0; k < restarts_.size(); ++k) {
    const double weight = 0.25 / (double(k + 1) * double(k + 2));
    sum.add(exact_log(weight) + log_broken(n_ - restarts_[k].n, x_ - restarts_[k].x));
  }
  return sum.value();
}

Verdict BudgetState::feed(std::int64_t t_s, const BudgetTick& tick) {
  if (failed_) return Verdict::Fail;
  const std::int64_t start_s = t_s - config_.tick_s;
  while (restarts_.size() < kRestartsMax &&
         std::int64_t(restarts_.size() + 1) * kRestartEvery_s <= start_s) {
    restarts_.push_back({start_s, n_, x_});
  }
  ++ticks_;
  silent_ticks_ = tick.n > 0 ? 0 : silent_ticks_ + 1;
  alive_ = tick.alive;
  n_ += tick.n;
  x_ += tick.x;
  failed_ = log_e() >= std::log(e_threshold(config_.profile));
  return look().verdict;
}

BudgetState::Start BudgetState::telling() const {
  Start best{0, 0, 0};
  double most = std::log(0.75) + log_broken(n_, x_);
  for (std::size_t k = 0; k < restarts_.size(); ++k) {
    const Start& start = restarts_[k];
    const double log_e =
        std::log(0.25 / (double(k + 1) * double(k + 2))) + log_broken(n_ - start.n, x_ - start.x);
    if (log_e <= most) continue;
    most = log_e;
    best = start;
  }
  return best;
}

bool BudgetState::blind() const {
  if (silent_ticks_ < kBlindTicks) return false;
  if (n_ == 0) return !alive_;
  const double usual = double(n_) / double(ticks_ - silent_ticks_);
  return usual * double(silent_ticks_) >= kLikelySome;
}

BudgetLook BudgetState::look() const {
  BudgetLook out;
  // A late fault is told by what shows it, not with the good past.
  const Start since = failed_ ? telling() : Start{0, 0, 0};
  out.n = n_ - since.n;
  out.x = x_ - since.x;
  out.rate = out.n > 0 ? double(out.x) / double(out.n) : 0;
  out.log_e_unats = to_unats(log_e());
  out.log_safe_unats = to_unats(log_kept());
  const std::string rates =
      fmt::format("{} of {} ({:.4g} %){} against {} {:.4g} %", out.x, out.n, out.rate * 100,
                  since.t_s > 0 ? fmt::format(" since minute {}", since.t_s / 60) : "",
                  config_.side == BudgetSide::AtMost ? "at most" : "at least", config_.limit * 100);
  if (failed_) {
    out.verdict = Verdict::Fail;
    out.why = rates + ": broken";
  } else if (blind()) {
    out.verdict = Verdict::Blind;
    out.why = fmt::format("no data for {} ticks", silent_ticks_);
  } else if (log_kept() >= std::log(kCertificate)) {
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
      was_beyond_ = false;
    }
    return verdict_;
  }
  silent_ = 0;
  last_ = value;
  const bool beyond = (config_.at_least && *value < *config_.at_least) ||
                      (config_.at_most && *value > *config_.at_most);
  beyond_ = beyond ? beyond_ + 1 : 0;
  within_ = beyond ? 0 : within_ + 1;
  was_beyond_ = was_beyond_ || beyond;
  if (beyond_ >= config_.ticks_to_fail) {
    verdict_ = Verdict::Fail;
  } else if (within_ >= (was_beyond_ ? config_.ticks_to_clear : 1)) {
    verdict_ = Verdict::Pass;
    was_beyond_ = false;
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
