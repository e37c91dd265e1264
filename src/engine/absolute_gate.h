// SPDX-License-Identifier: Apache-2.0
// A gate against a number instead of a baseline: the canary's own rate or quantile against a
// budget, or a level such as headroom. analysis/budget.h judges; here a manifest's limits become
// budgets. Pure: the same ticks give the same readings.
//
// A share is judged from its rarer side ("at least 95 % complete" is "at most 5 % do not"), a
// quantile as a share ("p99 at most 250 ms" is "at most 1 % above 250 ms").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "analysis/budget.h"
#include "base/json.h"
#include "engine/gate_plan.h"
#include "evidence/histogram.h"

namespace showcaller {

// What a tick says of the gate's metric: counts of the canary, or a level.
struct AbsoluteTick {
  std::int64_t n = 0, x = 0;
  std::optional<ExponentialHistogram> histogram;
  std::optional<double> level;
  std::string basis;   // of the level, in words; empty: what runs
  bool alive = false;  // the canary runs sessions that will have something to tell
};

struct AbsoluteReading {
  Verdict verdict = Verdict::Thin;
  json::object statistics;
  std::string why;
};

class AbsoluteJudge {
 public:
  AbsoluteJudge(AbsoluteGate gate, const GateConfig& stage);
  void feed(std::int64_t t_s, const AbsoluteTick& tick);
  AbsoluteReading read() const;
  const AbsoluteGate& gate() const { return gate_; }

 private:
  struct Bound {
    double limit = 0;         // as the manifest says it
    bool complement = false;  // the budget counts what is not so
    std::string said;         // "at most 250"
    BudgetState budget;
  };
  Bound bound(double limit, BudgetSide side, const GateConfig& stage) const;
  std::int64_t events(const Bound& bound, const AbsoluteTick& tick) const;
  std::string value() const;

  AbsoluteGate gate_;
  std::vector<Bound> bounds_;
  std::optional<LevelState> level_;
  std::string basis_;
  std::int64_t n_ = 0, x_ = 0;
  std::optional<ExponentialHistogram> histogram_;
};

}  // namespace showcaller
