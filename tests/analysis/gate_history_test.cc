// SPDX-License-Identifier: Apache-2.0
// What is known before second 0: the hour of the baseline, what earlier rollouts taught, the margin
// that is counted out; and what the stage itself is not judged by, its warm-up and its few
// instances.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "analysis/gate.h"
#include "evidence/histogram.h"
#include "tests/analysis/simulated_world.h"

namespace showcaller {
namespace {

using test::replications;
using test::SimulatedWorld;
using test::World;
using test::WorldConfig;

constexpr std::int64_t kHour = 3600;

// A fleet that has run for an hour when its stage begins.
struct Rollout {
  WorldConfig world;
  std::int64_t judged_s = kHour;
  bool with_history = true;
  std::vector<NoisePrior> priors;  // by metric; empty: unknown

  struct Result {
    Verdict verdict = Verdict::Thin;
    double found_s = INFINITY;
    std::vector<NoisePrior> learned;
  };
  Result run(std::uint64_t seed) const {
    WorldConfig config = world;
    config.fault.from_s += double(kHour);
    SimulatedWorld stream(config, seed);
    GateConfig judged = gate_config_of(config);
    for (std::size_t i = 0; i < priors.size(); ++i) judged.metrics[i].prior = priors[i];
    GateState gate(judged);
    Tick history;
    for (std::int64_t t = 0; t < kHour; t += config.tick_s) {
      Tick tick = stream.next();
      std::erase_if(tick.groups, [](const GroupCounts& g) { return g.arm == Arm::Canary; });
      tick.units.clear();
      tick.t_s = 0;
      merge(&history, tick);
    }
    if (with_history) gate.feed(history);
    Result out;
    for (std::int64_t t = 0; t < judged_s; t += config.tick_s) {
      Tick tick = stream.next();
      tick.t_s -= kHour;
      out.verdict = gate.feed(tick);
      if (out.verdict != Verdict::Fail) continue;
      out.found_s = double(tick.t_s);
      break;
    }
    out.learned = gate.learned();
    return out;
  }
};

Rollout on_a_fleet(double instance_sd, double error_ratio = 1) {
  Rollout rollout;
  rollout.world.world = World::Fleet;
  rollout.world.instance_sd = instance_sd;
  rollout.world.fault.error_ratio = error_ratio;
  return rollout;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

TEST(GateHistory, NoiseIsKnownAtSecondZero) {
  Rollout rollout = on_a_fleet(0.3);
  rollout.judged_s = 0;
  EXPECT_GT(rollout.run(5).learned[0].nu, 12);
  EXPECT_GT(rollout.run(5).learned[0].tau, 0.2);
  rollout.with_history = false;
  EXPECT_EQ(rollout.run(5).learned[0], NoisePrior{});
}

// Groups over an hour differ for reasons that no clump of events has: history of one line must not
// be taken for whole matches that fail together.
TEST(GateHistory, AnHourInOneLineIsNoClump) {
  WorldConfig config;
  config.world = World::Fleet;
  config.instance_sd = 0.4;
  const auto phi_with = [&](bool history) {
    SimulatedWorld stream(config, 11);
    GateState gate(gate_config_of(config));
    Tick hour;
    for (std::int64_t t = 0; t < 2 * kHour; t += config.tick_s) {
      Tick tick = stream.next();
      if (t >= kHour) {
        tick.t_s -= kHour;
        gate.feed(tick);
        continue;
      }
      tick.t_s = 0;
      tick.units.clear();
      merge(&hour, tick);
      if (history && t + config.tick_s == kHour) gate.feed(hour);
    }
    return gate.look().metrics[0].phi;
  };
  EXPECT_NEAR(phi_with(true), phi_with(false), 0.05);
}

TEST(GateHistory, ItMayComeInTheMiddleAndTakesNothingFromWhatWaits) {
  WorldConfig config;
  const GateConfig gate_config = gate_config_of(config);
  GateState first(gate_config), later(gate_config);
  SimulatedWorld stream(config, 3);
  Tick history = stream.next();
  std::erase_if(history.groups, [](const GroupCounts& g) { return g.arm == Arm::Canary; });
  history.t_s = 0;
  first.feed(history);
  for (int i = 0; i < 60; ++i) {
    Tick tick = stream.next();
    // Every other tick lacks the canary: the baseline's counts wait for it.
    if (i % 2 == 0) {
      std::erase_if(tick.groups, [](const GroupCounts& g) { return g.arm == Arm::Canary; });
      for (GroupCounts& g : tick.groups) std::fill(g.counts.begin(), g.counts.end(), 1);
    }
    first.feed(tick);
    later.feed(tick);
    if (i == 30) later.feed(history);
  }
  EXPECT_EQ(first.look().metrics[0].baseline_n, later.look().metrics[0].baseline_n);
  EXPECT_EQ(first.look().log_e_unats, later.look().log_e_unats);
}

// Who was there in the hour before and is gone takes no part in the comparison.
TEST(GateHistory, InstancesThatAreGoneDoNotSteadyTheBaseline) {
  GateConfig config;
  config.assignment = Assignment::Instance;
  config.share = 0.5;
  config.metrics = {{.name = "error", .prior = {.tau = 0.3, .nu = 1000}}};
  const auto upper_bound_with = [&](int gone) {
    GateState gate(config);
    Tick history;
    for (int i = 0; i < 4 + gone; ++i)
      history.groups.push_back({Arm::Baseline, fmt::format("b{:03}", i), "", {500, 5}});
    gate.feed(history);
    for (std::int64_t t = 10; t <= 1800; t += 10) {
      Tick tick{.t_s = t, .units = {{400, 400, ""}}};
      for (int i = 0; i < 4; ++i) {
        tick.groups.push_back({Arm::Baseline, fmt::format("b{:03}", i), "", {100, 1}});
        tick.groups.push_back({Arm::Canary, fmt::format("c{:03}", i), "", {100, 1}});
      }
      gate.feed(tick);
    }
    return gate.look().metrics[0].ratio_high;
  };
  EXPECT_GT(upper_bound_with(0), 1.2);
  EXPECT_NEAR(upper_bound_with(100), upper_bound_with(0), 0.1);
}

// T1 with an hour of history, and with what a chain of rollouts has taught.
TEST(GateHistory, GoodReleasesAreNotRolledBackByWhatIsKnownBefore) {
  for (const double per_s : {20.0, 500.0}) {
    int failed = 0;
    const int runs = replications(100);
    std::vector<NoisePrior> priors;
    for (int run = 0; run < runs; ++run) {
      Rollout rollout = on_a_fleet(0.15);
      rollout.world.sessions_per_s = per_s;
      if (run % 4 > 0) rollout.priors = priors;  // chains of four rollouts
      const Rollout::Result result = rollout.run(9'000 + std::uint64_t(run));
      failed += result.verdict == Verdict::Fail;
      priors = result.learned;
    }
    EXPECT_LE(failed, int(std::ceil(runs * 0.01 + 2.6 * std::sqrt(runs * 0.0099))) + 1)
        << per_s << "/s";
  }
}

// A fleet whose instances are alike, which nobody knows of a new service.
TEST(GateHistory, WhatRolloutsTaughtFindsTheSameFaultEarlier) {
  std::vector<double> unknown, known;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    Rollout good = on_a_fleet(0.02);
    good.with_history = false;
    for (int i = 0; i < 3; ++i) good.priors = good.run(100 * seed + std::uint64_t(i)).learned;
    EXPECT_LT(good.priors[0].tau, 0.1);
    EXPECT_EQ(good.priors[0].nu, 40);
    Rollout bad = on_a_fleet(0.02, 1.3);
    bad.world.sessions_per_s = 2000;
    bad.with_history = false;
    unknown.push_back(bad.run(seed).found_s);
    bad.priors = good.priors;
    known.push_back(bad.run(seed).found_s);
  }
  EXPECT_LT(median(known), 0.7 * median(unknown)) << median(known) << " " << median(unknown);
}

// Latencies as histograms in both arms, the canary's values all longer by a factor.
Verdict latency_verdict(double factor, double worse_by_at_most, bool counted_out,
                        std::uint64_t seed) {
  constexpr int kScale = 4;
  const auto cut = [](double ms) { return ExponentialHistogram::snap_cut(ms, kScale); };
  GateMetric metric{.name = "latency",
                    .kind = MetricKind::Quantile,
                    .worse_by_at_most = worse_by_at_most,
                    .at = {0.5, 0.9, 0.95, 0.99},
                    .cuts = {cut(100), cut(190), cut(228), cut(320)}};
  if (counted_out)
    metric.divided_by = ExponentialHistogram::snap_factor(1 + worse_by_at_most, kScale);
  GateConfig config;
  config.share = 0.1;
  config.metrics = {metric};
  GateState gate(config);
  Random random(seed);
  for (std::int64_t t = 10; t <= kHour; t += 10) {
    Tick tick{.t_s = t, .units = {{200, 1800, ""}}};
    for (int g = 0; g < 10; ++g) {
      ExponentialHistogram arms[2];
      for (int i = 0; i < 20; ++i) arms[0].record(factor * 100 * std::exp(0.5 * random.normal()));
      for (int i = 0; i < 180; ++i) arms[1].record(100 * std::exp(0.5 * random.normal()));
      const std::string id = std::to_string(g);
      tick.groups.push_back(
          {Arm::Canary, id, "", exceedances(arms[0], metric.cuts, metric.divided_by)});
      tick.groups.push_back({Arm::Baseline, id, "", exceedances(arms[1], metric.cuts)});
    }
    if (gate.feed(tick) == Verdict::Fail) break;
  }
  return gate.verdict();
}

TEST(GateMargins, TenPercentSlowerIsFineWhereTenPercentAreAcceptable) {
  int failed = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    failed += latency_verdict(1.10, 0.10, true, seed) == Verdict::Fail;
  EXPECT_EQ(failed, 0);
}

TEST(GateMargins, TwentyFivePercentSlowerIsFound) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    EXPECT_EQ(latency_verdict(1.25, 0.10, true, seed), Verdict::Fail) << seed;
}

// The slope between the cuts is a guess at the tail: what is counted out needs none.
TEST(GateMargins, WithoutAMarginTenPercentSlowerIsFound) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    EXPECT_EQ(latency_verdict(1.10, 0, false, seed), Verdict::Fail) << seed;
}

TEST(GateMargins, StreamsThatCarryPlainCountsAreJudgedByTheSlopeOfTheTail) {
  EXPECT_NE(latency_verdict(1.03, 0.10, false, 1), Verdict::Fail);
  EXPECT_EQ(latency_verdict(1.40, 0.10, false, 1), Verdict::Fail);
}

TEST(GateMargins, MoreThanIsAcceptableCantBeCountedOut) {
  GateConfig config;
  config.metrics = {{.name = "latency",
                     .kind = MetricKind::Quantile,
                     .worse_by_at_most = 0.1,
                     .at = {0.5},
                     .cuts = {100},
                     .divided_by = 1.2}};
  EXPECT_FALSE(check(config));
  config.metrics[0].divided_by = 1.09;
  EXPECT_TRUE(check(config));
}

// A canary that is cold for its first two minutes, with three times the errors.
Verdict cold_start(std::int64_t warmup_s, std::uint64_t seed) {
  GateConfig config;
  config.share = 0.5;
  config.warmup_s = warmup_s;
  config.metrics = {{.name = "error"}};
  GateState gate(config);
  Random random(seed);
  for (std::int64_t t = 10; t <= 900; t += 10) {
    Tick tick{.t_s = t, .units = {{500, 500, ""}}};
    const double cold = t <= 140 ? 2.2 : 1;
    for (int g = 0; g < 10; ++g) {
      const auto events = [&](double rate) { return std::int64_t(random.binomial(50, rate)); };
      tick.groups.push_back({Arm::Canary, std::to_string(g), "", {50, events(0.02 * cold)}});
      tick.groups.push_back({Arm::Baseline, std::to_string(g), "", {50, events(0.02)}});
    }
    gate.feed(tick);
  }
  return gate.verdict();
}

// Half the warm-up would roll good releases back.
TEST(GateWarmup, AColdStartIsNoFaultAndHalfTheWarmupWouldMakeItOne) {
  int failed = 0, failed_with_half = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    failed += cold_start(GateConfig{}.warmup_s, seed) == Verdict::Fail;
    failed_with_half += cold_start(GateConfig{}.warmup_s / 2, seed) == Verdict::Fail;
  }
  EXPECT_EQ(GateConfig{}.warmup_s, 150);
  EXPECT_EQ(failed, 0);
  EXPECT_GE(failed_with_half, 10);
}

// Six instances whose canary errs 1.25 times as often, on a fleet that is known to be quiet.
Verdict small_effect(std::int64_t instances_min) {
  GateConfig config;
  config.assignment = Assignment::Instance;
  config.share = 0.3;
  config.canary_instances_min = instances_min;
  config.metrics = {{.name = "error", .prior = {.tau = 0.02, .nu = 40}}};
  GateState gate(config);
  Random random(8);
  for (std::int64_t t = 10; t <= kHour; t += 10) {
    Tick tick{.t_s = t, .units = {{600, 1400, ""}}};
    const auto add = [&](Arm arm, int groups, double rate) {
      for (int g = 0; g < groups; ++g) {
        const auto n = std::int64_t(100);
        const auto x = std::int64_t(random.binomial(100, rate));
        tick.groups.push_back({arm, std::to_string(g), "", {n, x}});
      }
    };
    add(Arm::Canary, 6, 0.0125);
    add(Arm::Baseline, 14, 0.01);
    if (gate.feed(tick) == Verdict::Fail) break;
  }
  return gate.verdict();
}

TEST(GateInstances, ASmallEffectFailsNoStageWithFewerInstancesThanAskedFor) {
  EXPECT_EQ(small_effect(4), Verdict::Fail);
  EXPECT_EQ(small_effect(6), Verdict::Fail);
  EXPECT_NE(small_effect(8), Verdict::Fail);
}

}  // namespace
}  // namespace showcaller
