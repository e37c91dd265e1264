// SPDX-License-Identifier: Apache-2.0
// How much capacity the next hours may need: a demand forecast, and a factor learnt from how far
// the same forecast was from the peaks of the last weeks.
//
//   upper  = peak forecast x uplift of planned events x factor x 1.04
//   factor = r + 0.3 (r - median), r: the largest but one in 14 of actual peak / forecast peak,
//   seen
//            from up to 28 origins a day apart
//
// r alone is split conformal prediction (Vovk et al., "Algorithmic Learning in a Random World"; Lei
// et al., JASA 2018). Its windows overlap and drift, which the spread and 1.04 are for.
//
// Threads: none. Pure. Cost: some 30 forecasts, each a few passes over four weeks of steps.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/forecast_models.h"
#include "analysis/time_series.h"

namespace showcaller {

// Demand of [from, until) is `factor` times what it would be.
struct PlannedUplift {
  double factor = 1;
  Instant from, until;
};

struct DemandForecast {
  std::vector<double> value;  // the best guess, a step at a time
  std::vector<double> upper;  // the capacity to have ready
  double factor = 1;          // upper over the peak forecast, its margins included
  std::size_t origins = 0;    // the factor was seen from; 0: the past is too short, and 1.3 stands
                              // for it
};
DemandForecast forecast_demand(const RegularSeries& series, std::size_t horizon,
                               const std::vector<PlannedUplift>& uplifts = {});

// The same forecast from each of the last days, with what was known then, held against what came.
struct ForecastRecord {
  std::size_t windows = 0;           // 0: the past is too short, and nothing below says anything
  std::size_t covered = 0;           // the upper peak was at least the actual one
  double over_provision_median = 0;  // upper peak / actual peak - 1
  double smape_percent = 0;          // of `value`: 200 |actual - value| / (|actual| + |value|)
  double mase = 0;  // of `value`: mean error over that of a seasonal naive forecast in the past
};
ForecastRecord record_of_forecasts(const RegularSeries& series, std::size_t horizon);

}  // namespace showcaller
