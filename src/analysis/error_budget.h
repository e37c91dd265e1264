// SPDX-License-Identifier: Apache-2.0
// How fast an error budget burns, from whole counts in rolling windows, and how much of that the
// evidence proves. Pure: time comes in as a value.
//
//   burn          = (bad / n) / (1 - objective)
//   proven burn   = (L / (1 - objective)), L the lower bound of the share of what is bad, at
//                   confidence 1 - alpha: the exact one of a binomial (Clopper and Pearson, "The
//                   use of confidence or fiducial limits", 1934): the p with P(Bin(n, p) >= bad) =
//                   alpha, by Beta(bad, n - bad + 1). Where little has happened it is far below
//                   what was counted: thin traffic proves nothing.
//   clumps        sessions of an instance that dies are bad together. n and bad are divided by the
//                   mean size of a bad one's clump, sum(bad_g^2) / sum(bad_g) over groups g and
//                   ticks, before the bound is taken (a design effect: Kish, "Survey Sampling",
//                   1965).
//
// alpha is 1/10,000 a look. Looks every ten seconds at the same hour are nearly one look: a share
// that is exactly at a rule's factor would call somebody by chance about once in ten weeks, and
// every share below it ever more seldom (tests/analysis/error_budget_test.cc).
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace showcaller {

struct BadCounts {
  std::int64_t n = 0, bad = 0;
  std::int64_t squares = 0;  // of the bad ones of each group and tick
  void add(const BadCounts& more) {
    n += more.n;
    bad += more.bad;
    squares += more.squares;
  }
  friend bool operator==(const BadCounts&, const BadCounts&) = default;
};

// Sums over spans that end now. Each span is answered by the finest buckets that reach so far: of
// ten seconds for an hour, five minutes for six hours, an hour for three days, six hours for 35
// days. The bucket that fills counts as a whole one.
//
// Memory: 644 buckets, 20 KiB. Threads: none.
class RollingCounts {
 public:
  RollingCounts();
  // Times may come in any order, within what a span reaches.
  void add(Instant at, const BadCounts& counts);
  // Since when something is known; the epoch where nothing is.
  Instant since() const { return since_; }
  // At most kSpanMax.
  BadCounts over(Duration span, Instant now) const;

  static constexpr Duration kSpanMax = hours(24 * 35);
  // How wide the buckets are that answer a span.
  static Duration bucket_of(Duration span);

 private:
  struct Bucket {
    std::int64_t number = -1;
    BadCounts counts;
  };
  std::vector<std::vector<Bucket>> tiers_;
  Instant since_{};
};

constexpr double kBurnAlpha = 1e-4;

double burn_of(const BadCounts& counts, double objective);
// 0 where the evidence proves no burn above 1.
double proven_burn(const BadCounts& counts, double objective, double alpha = kBurnAlpha);
// The same from above, at 99 %: what burns faster would hardly show so little. Infinite where
// nothing was seen.
double burn_at_most(const BadCounts& counts, double objective);
// The share of the budget that is left of a window's counts, in ppm; below 0: overdrawn.
std::int64_t budget_left_ppm(const BadCounts& counts, double objective);

}  // namespace showcaller
