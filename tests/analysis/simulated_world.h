// SPDX-License-Identifier: Apache-2.0
// Worlds for measuring the gate: streams of ticks whose truth is known. Everything is drawn per
// tick and group from a seed, so that a false rollback or a missed fault can be replayed.
//
//   Clean      sessions are independent and alike
//   Flag       players are randomised on 20 shared instances: day cycle, common shocks, instance
//   effects, cold start Fleet      the same, but the canary is 4 instances of its own against 16
//   Clumps     Flag with error and crash events in geometric clumps (mean 2, variance three times
//   chance), counted raw Matches    whole matches of 8 fail together; buckets are of matches
//   FleetMatches  Fleet, where whole matches of 8 fail together
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/gate.h"
#include "base/random.h"

namespace showcaller::test {

enum class World { Clean, Flag, Fleet, Clumps, Matches, FleetMatches };
const char* name_of(World world);

struct Fault {
  double error_ratio = 1;
  double crash_ratio = 1;
  double tail_stretch =
      1;  // latencies above the median, as their distance from it: p99 + 25 % is 1.25
  double from_s = 0;
};

struct WorldConfig {
  World world = World::Clean;
  double sessions_per_s = 500;
  double share = 0.05;
  std::int64_t planned_s = 3600;
  std::int64_t tick_s = 10;
  std::int64_t warmup_s = 150;
  double error_rate = 0.01;
  double crash_rate = 0.001;
  double instance_sd = 0.15;  // persistent, and again as much drifting
  double cold_start_s = 120;
  int canary_instances = 4;
  int baseline_instances = 16;
  GateProfile profile = GateProfile::Guaranteed;
  Fault fault;
  double true_share = 0;  // 0: share
  std::int64_t canary_silent_from_s = -1;
};

GateConfig gate_config_of(const WorldConfig& config);

class SimulatedWorld {
 public:
  SimulatedWorld(const WorldConfig& config, std::uint64_t seed);
  // The next tick. Valid until the next call.
  const Tick& next();

 private:
  struct Instance {
    double error_fixed = 0, error_drift = 0, latency_fixed = 0, latency_drift = 0;
  };
  struct Rates {
    double error = 0, crash = 0;
    std::vector<double> above;  // at each cut
  };
  void step_common();
  Rates rates_of(const Instance* instance, bool canary) const;
  Rates shared_rates(bool canary) const;
  void draw(GroupCounts* group, double sessions, const Rates& rates);
  std::int64_t clumped(double mean);
  bool fleet() const {
    return config_.world == World::Fleet || config_.world == World::FleetMatches;
  }
  bool matches() const {
    return config_.world == World::Matches || config_.world == World::FleetMatches;
  }

  WorldConfig config_;
  Random random_;
  Tick tick_;
  std::vector<Instance> instances_;
  double t_ = 0;
  double load_phase_ = 0;
  double load_ = 1;
  double shock_left_s_ = 0, shock_error_ = 1, shock_latency_ = 1;
};

}  // namespace showcaller::test
