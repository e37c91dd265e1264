// SPDX-License-Identifier: Apache-2.0
// Worlds for measuring the gate: streams of ticks whose truth is known (simulated_truth.h).
// Everything is drawn from a seed, so that a false rollback or a missed fault can be replayed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <span>

#include "analysis/bucket_draw.h"
#include "analysis/gate.h"
#include "base/random.h"
#include "tests/analysis/simulated_truth.h"

namespace showcaller::test {

// How often a cell is played: in CI, and five times as often in the nightly form.
inline bool nightly() {
  return std::getenv("SHOWCALLER_NIGHTLY") != nullptr;
}
inline int replications(int in_ci = 200) {
  return nightly() ? 5 * in_ci : in_ci;
}

GateConfig gate_config_of(const WorldConfig& config);

class SimulatedWorld {
 public:
  SimulatedWorld(const WorldConfig& config, std::uint64_t seed);
  // The next tick. Valid until the next call.
  const Tick& next();

 private:
  void add_groups();
  void draw_instances(double arriving);
  void draw_pools(double arriving);
  void draw_population(double arriving);
  // One group.
  void draw(GroupCounts* group, double sessions, const Rates& rates);
  // All buckets of an arm and stratum.
  void draw_buckets(std::span<GroupCounts> groups, double sessions, const Rates& rates);
  void throw_clumps(std::span<GroupCounts> groups, std::size_t column, double mean);
  std::int64_t clump();
  std::int64_t clumped(double mean);
  void count_units();
  void pool_strata();
  double session_size() const { return is_matches(config_.world) ? 8 : 1; }

  WorldConfig config_;
  Random random_;
  SimulatedTruth truth_;
  BucketDraw buckets_;
  GroupCounts whole_;
  Tick tick_, pooled_;
};

}  // namespace showcaller::test
