// SPDX-License-Identifier: Apache-2.0
// What is true in the worlds that the gate is measured in: how many come, how often a session of an
// arm goes wrong, how long it waits. Everything that both arms share moves here, second by second.
//
//   E0 Clean      sessions are independent and alike
//   E1 Flag       players are randomised on 20 shared instances: day cycle, common shocks, instance
//                 effects, cold start
//   E2 Fleet      the same, but the canary is 4 instances of its own against 16
//   E3 Clumps     Flag with error and crash events in geometric clumps (mean 2, variance three
//                 times chance), counted raw
//   E4 Matches, FleetMatches  Clean and Fleet, where whole matches of 8 fail together
//   E5 SelfSelected  Flag, but the canary is who patched early: platforms and client versions come
//                 in other shares than in the baseline, and differ in what goes wrong anyway
//   E6 SplitPool  Flag, but builds do not play together: each arm has matchmaking pools of its own,
//                 and the smaller a pool, the longer its queue
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/gate.h"
#include "base/random.h"

namespace showcaller::test {

enum class World { Clean, Flag, Fleet, Clumps, Matches, FleetMatches, SelfSelected, SplitPool };
const char* name_of(World world);

// What the gate is told of waiting in a split pool.
enum class QueueTime {
  Untold,
  Guard,    // the canary's one pool against the baseline's
  PerPool,  // eight pools of one size an arm, each a group of its own; whoever else plays is not
            // judged
};

struct Fault {
  double error_ratio = 1;
  double crash_ratio = 1;
  // Latencies above the median, as their distance from it: p99 + 25 % is 1.25.
  double tail_stretch = 1;
  double wait_ratio = 1;
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
  double true_share = 0;            // 0: share
  bool stratified = true;           // SelfSelected: evidence names platform and client version
  bool scaled_certificate = false;  // the canary is also counted above the top cut x 1.25
  QueueTime queue = QueueTime::Untold;
};

inline constexpr std::size_t kCuts = 4;
inline constexpr double kScaledBy = 1.25;
inline constexpr int kPools = 8;
extern const std::array<double, kCuts> kAt;
double latency_cut(std::size_t i);
double wait_cut(const WorldConfig& config, std::size_t i);

// A part of the population that is alike in what goes wrong.
struct Stratum {
  const char* name = "";
  double part = 1;     // of all sessions
  double eager = 1;    // to patch: 2 is twice as often in the canary as the average
  double error = 1;    // base rates, as a factor
  double latency = 0;  // log
};
std::span<const Stratum> strata_of(World world);
bool is_fleet(World world);
bool is_matches(World world);

struct Rates {
  double error = 0, crash = 0;
  std::array<double, kCuts> above{}, waits_above{};
  double above_scaled = 0;
};

class SimulatedTruth {
 public:
  SimulatedTruth(const WorldConfig& config, Random* random);
  void step(Random* random);  // to the next tick

  double t_s() const { return t_; }
  double load() const { return load_; }
  double canary_share(const Stratum& stratum) const;
  // Of one instance of a fleet.
  Rates of_instance(std::size_t instance, bool canary) const;
  // Of who meets any of the shared instances: the mean over them.
  Rates of_anybody(const Stratum& stratum, bool canary) const;
  // The same with how long one waits in a matchmaking pool: the canary's are the first.
  Rates in_pool(Rates rates, std::size_t pool, bool canary) const;

 private:
  struct Instance {
    double error_fixed = 0, error_drift = 0, latency_fixed = 0, latency_drift = 0;
  };
  struct Common {
    double error = 1, shift = 0, stretch = 1;
  };
  bool plain() const { return config_.world == World::Clean || config_.world == World::Matches; }
  Common common(bool canary) const;
  Rates rates_of(const Instance& instance, const Stratum& stratum, bool canary,
                 const Common& common) const;

  WorldConfig config_;
  std::vector<Instance> instances_;
  std::vector<double> pool_drift_;
  double t_ = 0;
  double load_phase_ = 0;
  double load_ = 1;
  double shock_left_s_ = 0, shock_error_ = 1, shock_latency_ = 1;
};

}  // namespace showcaller::test
