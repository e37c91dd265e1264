// SPDX-License-Identifier: Apache-2.0
// Simple forecasts of a series with day and week cycles. Each takes the past at even steps, oldest
// first, NaN where nothing is known, and gives the next `horizon` steps. No training, no state.
//
// Sources: seasonal naive and its peers, Hyndman and Athanasopoulos, "Forecasting: Principles and
// Practice", 5.2; combination of simple methods, Makridakis et al., "The M4 Competition", 2020.
//
// Threads: none. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "analysis/time_series.h"

namespace showcaller {

using Past = std::span<const double>;

// What was a whole number of cycles before; where that is missing, still further back.
std::vector<double> seasonal_naive(Past past, std::size_t cycle, std::size_t horizon);

// The shape of the last `cycles` cycles (each over its own mean; per step half the median, half the
// mean weighted 1, 0.6, 0.36, ... from the newest), at the level of the last `level_steps`.
// Values at least 0.
struct ProfileOptions {
  std::size_t cycle = 0;
  std::size_t cycles = 4;
  std::size_t level_steps = 0;
};
std::vector<double> profile_forecast(Past past, const ProfileOptions& options, std::size_t horizon);

// The best guess: the mean of (the median of all models that the past is long enough for) and (the
// one of them that was nearest over the last `horizon` steps). Values at least 0.
std::vector<double> point_forecast(Past past, Cycles cycles, std::size_t horizon);

// Where demand may rise to: a step at a time the larger of `point` and the weekly profile.
std::vector<double> peak_forecast(Past past, Cycles cycles, std::vector<double> point);

}  // namespace showcaller
