// SPDX-License-Identifier: Apache-2.0
#include "bench/targets/cell.h"

#include <algorithm>
#include <cmath>

namespace showcaller::bench {
namespace {

constexpr double kZ = 1.96;

// Wilson's interval.
Estimate percent(std::size_t hits, std::size_t runs) {
  const double n = double(runs), p = double(hits) / n;
  const double middle = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  return {100 * p, std::max(0.0, 100 * (middle - half)), std::min(100.0, 100 * (middle + half))};
}

// The median, between the order statistics that hold it in 95 of 100 samples.
Estimate median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double n = double(values.size());
  const auto at = [&](double rank) { return values[std::size_t(std::clamp(rank, 0.0, n - 1))]; };
  return {at(n / 2), at(n / 2 - kZ / 2 * std::sqrt(n)), at(n / 2 + kZ / 2 * std::sqrt(n))};
}

double excess_rate(const test::WorldConfig& config) {
  // Cold caches make a fault half as bad again in the minutes it takes.
  const double cold = config.world == test::World::Clean ? 1 : 1.5;
  return config.error_rate * (config.fault.error_ratio - 1) * cold;
}

bool at_least(Asked asked) {
  return asked == Asked::Found;
}

}  // namespace

Outcome outcome_of(const test::WorldConfig& config, std::uint64_t seed) {
  test::SimulatedWorld world(config, seed);
  GateState gate(gate_config_of(config));
  Outcome out;
  while (gate.t_s() < config.planned_s) {
    const Tick& tick = world.next();
    out.verdict = gate.feed(tick);
    out.passed = out.passed || out.verdict == Verdict::Pass;
    double canary = 0;
    for (const GroupCounts& group : tick.groups)
      canary += group.arm == Arm::Canary ? double(group.counts[0]) : 0;
    out.canary_sessions += canary;
    if (tick.t_s > config.warmup_s) out.sessions += canary;
    if (out.verdict == Verdict::Fail || out.verdict == Verdict::Skewed) {
      out.seconds = double(tick.t_s) - config.fault.from_s;
      return out;
    }
  }
  out.seconds = out.sessions = INFINITY;
  return out;
}

Estimate estimate(const Cell& cell, const Goal& goal, const std::vector<Outcome>& outcomes) {
  const auto share = [&](auto of) {
    return percent(std::size_t(std::count_if(outcomes.begin(), outcomes.end(), of)),
                   outcomes.size());
  };
  const auto median_of = [&](Verdict verdict, auto value) {
    std::vector<double> values;
    for (const Outcome& o : outcomes) values.push_back(o.verdict == verdict ? value(o) : INFINITY);
    return median(std::move(values));
  };
  switch (goal.asked) {
    case Asked::RolledBack:
    case Asked::Found:
      return share([](const Outcome& o) { return o.verdict == Verdict::Fail; });
    case Asked::Passed:
      return share([](const Outcome& o) { return o.passed; });
    case Asked::Skewed:
      return share([](const Outcome& o) { return o.verdict == Verdict::Skewed; });
    case Asked::MedianSeconds:
      return median_of(Verdict::Fail, [](const Outcome& o) { return o.seconds; });
    case Asked::MedianSkewedSeconds:
      return median_of(Verdict::Skewed, [](const Outcome& o) { return o.seconds; });
    case Asked::MedianSessions:
      return median_of(Verdict::Fail, [](const Outcome& o) { return o.sessions; });
    case Asked::MedianHarmed:
      return median_of(Verdict::Fail, [&](const Outcome& o) {
        return o.canary_sessions * excess_rate(cell.config);
      });
  }
  return {};
}

std::string_view unit_of(Asked asked) {
  switch (asked) {
    case Asked::RolledBack:
      return "% rolled back";
    case Asked::Found:
      return "% found";
    case Asked::Passed:
      return "% passed";
    case Asked::Skewed:
      return "% skewed";
    case Asked::MedianSeconds:
    case Asked::MedianSkewedSeconds:
      return "s, median";
    case Asked::MedianSessions:
      return "sessions, median";
    case Asked::MedianHarmed:
      return "players, median";
  }
  return "";
}

Met met(const Goal& goal, const Estimate& measured) {
  if (goal.bound < 0) return Met::NoTarget;
  if (goal.either_way > 0) {
    const double low = goal.bound / (1 + goal.either_way),
                 high = goal.bound / (1 - goal.either_way);
    if (measured.value >= low && measured.value <= high) return Met::Yes;
    return measured.high < low || measured.low > high ? Met::SurelyNot : Met::No;
  }
  if (at_least(goal.asked)) {
    if (measured.value >= goal.bound) return Met::Yes;
    return measured.high < goal.bound ? Met::SurelyNot : Met::No;
  }
  if (measured.value <= goal.bound) return Met::Yes;
  return measured.low > goal.bound ? Met::SurelyNot : Met::No;
}

}  // namespace showcaller::bench
