// SPDX-License-Identifier: Apache-2.0
// Whether an error budget burns faster than a bound, by evidence that may be looked at whenever
// somebody likes: nothing waits for a window to fill. Pure: time comes in as a value.
//
//   against       the share of what is bad is at most `bound`
//   alternatives  p_k, whose odds are 2, 4, 8, … times those of the bound
//   evidence      the mean over k of M_k, with M_k = max(M_k before, 1) * L_k at each look, and
//                 L_k = (p_k / bound)^bad * ((1 - p_k) / (1 - bound))^(n - bad): what a look shows
//                 for p_k, counted from where that began to speak for it (E. S. Page, "Continuous
//                 inspection schemes", 1954)
//   promise       while the bound holds, the chance that the evidence reaches c within t looks is
//                 at most t / c: max(M, 1) * L stays below (M + 1) * L, whose expectation grows by
//                 at most one a look (J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric
//                 framework for sequential change detection", 2023)
//   calm          the same for a quarter of the bound, held against the bound: what says that it is
//                 over
//   clumps        as in error_budget.h: n and bad of a look are divided by the mean size of a clump
//
// Threads: none. Memory: constant.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/error_budget.h"

namespace showcaller {

// Logarithms are natural. Counts are those since what burns began to show; 0: nothing shows.
struct BurnProof {
  double evidence = 0, calm = 0;
  std::int64_t n = 0, bad = 0;
  Instant since{};
};

struct BurnLook {
  double bound = 0;   // a share, above 0 and below 1
  double enough = 0;  // evidence beyond it is not kept: what is over would be over so much later
};

class BurnDetector {
 public:
  // Looks come in the order of time; one at which nothing was counted shows nothing.
  void add(Instant at, const BadCounts& counts, const BurnLook& look);
  // Looks are missing from here on back to the last one: calm has to be shown anew.
  void miss() { calm_.evidence = 0; }
  BurnProof proof() const;

 private:
  struct Alternative {
    double per_bad = 0, per_good = 0;  // logarithms of what one adds
    double evidence = 0;               // ln M
    std::int64_t n = 0, bad = 0;
    Instant since{};
  };
  void hold_against(double bound);

  double bound_ = 0;
  std::vector<Alternative> alternatives_;
  Alternative calm_;
};

// That it is over is told with a doubt of one in twenty.
constexpr double kCalmEnough = 3;

}  // namespace showcaller
