// SPDX-License-Identifier: Apache-2.0
// Gates without a concurrent baseline: absolute budgets ("at most 0.5 % of sessions crash", "p99 at
// most 250 ms") and levels ("headroom at least 15 %"). They say nothing of what a release changed;
// after 100 % they are what is left.
//
// A budget is judged by an anytime-valid e-value on the event count: looking every tick does not
// raise the false alarm rate. A quantile budget is the budget of its exceedances: p99 <= v is "at
// most 1 % above v". A level is judged as it stands, some ticks in a row.
//
// Threads: none. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/gate.h"

namespace showcaller {

enum class BudgetSide : std::uint8_t { AtMost, AtLeast };

struct BudgetConfig {
  double limit = 0.01;  // events a unit, > 0. For "p99 <= v": 0.01, with x the number above v
  BudgetSide side = BudgetSide::AtMost;
  GateProfile profile = GateProfile::Guaranteed;  // fails at E >= 200, or 12
  double phi = 1;                                 // events that come in clumps count for fewer
  std::int64_t tick_s = 10;
};

struct BudgetLook {
  Verdict verdict = Verdict::Thin;         // pass: shown to be within the budget
  std::int64_t log_e_unats = kLogZero;     // that the budget is broken
  std::int64_t log_safe_unats = kLogZero;  // that it is kept
  double rate = 0;
  std::int64_t n = 0, x = 0;
  std::string why;
};

// Both on totals: log E that the rate is above the limit, and that it is below.
double log_e_above(double n, double x, double limit, double phi = 1);
double log_e_below(double n, double x, double limit, double phi = 1);

struct BudgetTick {
  std::int64_t n = 0, x = 0;
  bool alive = false;  // something runs that will have something to tell
};

class BudgetState {
 public:
  explicit BudgetState(const BudgetConfig& config) : config_(config) {}
  // One tick that ends at t_s. Blind: three in a row without exposure, in which some was to come by
  // what came before, or nothing that is alive. A broken budget stays broken.
  Verdict feed(std::int64_t t_s, const BudgetTick& tick);
  BudgetLook look() const;

 private:
  struct Start {
    std::int64_t t_s, n, x;
  };
  // What shows most that the budget is broken: everything, or since a restart.
  Start telling() const;
  double log_e() const;
  double log_broken(std::int64_t n, std::int64_t x) const;
  double log_kept() const;
  bool blind() const;

  BudgetConfig config_;
  std::int64_t n_ = 0, x_ = 0;
  std::int64_t ticks_ = 0, silent_ticks_ = 0;
  bool alive_ = false;
  std::vector<Start> restarts_;  // every ten minutes: a late fault is not drowned by a good past
  bool failed_ = false;
};

struct LevelConfig {
  std::optional<double> at_least;
  std::optional<double> at_most;
  int ticks_to_fail = 3;  // beyond the level, in a row
  int ticks_to_clear =
      3;  // within it, in a row, after it was beyond: near its bound a value flickers
};

// Capacity headroom, queue lengths, forecasts: a value that is what it is. Blind after three ticks
// without one.
class LevelState {
 public:
  explicit LevelState(const LevelConfig& config) : config_(config) {}
  Verdict feed(std::optional<double> value);
  Verdict verdict() const { return verdict_; }
  std::string why() const;

 private:
  LevelConfig config_;
  Verdict verdict_ = Verdict::Thin;
  std::optional<double> last_;
  int beyond_ = 0, within_ = 0, silent_ = 0;
  bool was_beyond_ = false;  // since it last passed
};

}  // namespace showcaller
