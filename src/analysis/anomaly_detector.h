// SPDX-License-Identifier: Apache-2.0
// How odd is each value of a stream, given those before it? For metrics of which nothing is known:
// any unit, any step, with or without a cycle of days or weeks.
//
//   surprise = max(residual, 0.8 shift) + novelty
//   residual: distance to the nearest of the level (a moving mean), the time of day's usual value
//   and
//             the time of week's, over the scale of such distances so far
//   shift:    a short mean of the deviation from what is usual then, over its own scale so far
//   novelty:  distance beyond all values so far, over half the width of nearly all of them; at most
//   3 scale:    the largest of 3 medians, 1.7 x the 90 %, 0.8 x the 99 % and 0.5 x the 99.9 %
//   quantile:
//             what a stream does now and then is not odd in that stream
//   score:    surprise / (surprise + 1.5)
//
// After a surprise, one that is smaller counts half: one incident is one alarm. What has to be
// exceeded fades away within 400 rows.
//
// The residual against the nearer of level and day, and the suppression, are after the findings on
// the Numenta Anomaly Benchmark (Lavin and Ahmad, 2015) that season and suppression are worth most.
//
// Causal: a score depends on the rows up to its own. Threads: none. Pure. Limits: the newest 8,192
// rows are remembered, some 500 KiB a stream; a few microseconds a row.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analysis/sliding_quantiles.h"
#include "base/time.h"

namespace showcaller {

// The usual value at each place of a cycle, in slots of five minutes.
class CycleProfile {
 public:
  explicit CycleProfile(Duration cycle);

  // The mean of the slot and its neighbours, of those that were seen in two cycles or more.
  std::optional<double> usual_at(Instant time) const;
  // `part`: of a slot that the value stands for, at most 1; `reach`: how far it may pull.
  void learn(Instant time, double value, double part, double reach);

 private:
  struct Slot {
    double usual = 0;
    std::size_t cycles = 0;
    std::int64_t last_cycle = 0;
  };
  std::int64_t slot_number(Instant time) const;

  std::vector<Slot> slots_;
};

class AnomalyDetector {
 public:
  AnomalyDetector();

  // From 0 to 1; 0 for the first 30 values. A value that is not known (NaN) scores 0 and teaches
  // nothing; a time that is not after the one before counts as one step on.
  double score(Instant time, double value);

 private:
  struct Expected {
    double nearest = 0;    // distance to the nearest of level and profiles
    double deviation = 0;  // from what is usual at this time
    bool cyclic = false;   // a profile knows this time
  };
  // The usual steps since the row before, at least 1.
  double steps_since(Instant time);
  Expected expect(Instant time, double value, double steps) const;
  double scale_of(const SlidingQuantiles& seen) const;
  double novelty_of(double value) const;
  void learn(Instant time, double value, double steps, double reach);
  double suppressed(double surprise);

  std::size_t rows_ = 0;
  Instant last_;
  SlidingQuantiles gaps_, residuals_, values_;
  // Shifts before and after a profile is known are of another size.
  SlidingQuantiles flat_shifts_, cyclic_shifts_;
  CycleProfile day_, week_;
  double level_ = 0, slow_level_ = 0;
  double shift_ = 0;
  bool cyclic_ = false;
  double low_ = 0, high_ = 0;  // of all values so far
  double to_exceed_ = 0;
};

}  // namespace showcaller
