// SPDX-License-Identifier: Apache-2.0
// How often a stage as planned would roll back a good release: the gate itself, run on simulated
// stages of that length, share and traffic in which nothing is wrong. Pure and seeded: one plan,
// one answer. The cost is bounded by NullBudget.
//
// Units are independent there, and instances as far apart as the prior says: clumps, common shocks
// and cold caches of the live game are not in it. tests/analysis/simulated_truth.h has those.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/gate.h"

namespace showcaller {

struct NullStage {
  GateConfig config;          // as the stage will be judged, its share known
  std::vector<double> rates;  // by metric: baseline events a unit; of quantiles not asked
  double units_per_s = 0;     // both arms together
  int canary_instances = 4, baseline_instances = 16;  // instance assignment
};

struct NullBudget {
  std::int64_t runs_max = 400;
  // Each tick after the first ones is longer by this: chance has its best moments early, and a look
  // less often finds a little less.
  double growth = 0.06;
  std::int64_t series_looks_max = 60'000;  // some 5 us each
  std::uint64_t seed = 1;
};

struct NullRate {
  std::int64_t runs = 0, rolled_back = 0;
  double share = 0, low = 0, high = 0;  // of the runs, with its 95 % interval
  std::int64_t looks = 0;               // a run
  std::vector<double> strictness;       // that each run reached, descending; 1 where it is less

  // The least strictness at which no more than this share is rolled back; 0: too few runs to tell.
  double strictness_for(double share_asked) const;
};

NullRate simulate_null(const NullStage& stage, const NullBudget& budget = {});

}  // namespace showcaller
