// SPDX-License-Identifier: Apache-2.0
#include "analysis/forecast_models.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/check.h"

namespace showcaller {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kFading = 0.6;  // weight of a cycle beside that of the next newer one
constexpr std::size_t kDaysOfShape = 7, kWeeksOfShape = 4;

// Of what is known; NaN where nothing is.
double mean_of(Past values) {
  double sum = 0;
  std::size_t n = 0;
  for (const double v : values) {
    if (std::isnan(v)) continue;
    sum += v;
    ++n;
  }
  return n ? sum / double(n) : kMissing;
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double last_known(Past past) {
  for (std::size_t i = past.size(); i-- > 0;)
    if (!std::isnan(past[i])) return past[i];
  return 0;
}

Past newest(Past past, std::size_t steps) {
  return past.last(std::min(steps, past.size()));
}

// Half median, half faded mean of the ratios at one place of the cycle, newest first.
double blended(const std::vector<double>& ratios) {
  if (ratios.empty()) return kMissing;
  double sum = 0, weights = 0, weight = 1;
  for (const double ratio : ratios) {
    sum += weight * ratio;
    weights += weight;
    weight *= kFading;
  }
  return 0.5 * median_of(ratios) + 0.5 * sum / weights;
}

// The shape of one cycle whose first step is the first one of the forecast.
std::vector<double> cycle_shape(Past past, const ProfileOptions& options) {
  const std::size_t cycle = options.cycle;
  const std::size_t cycles = std::min(options.cycles, past.size() / cycle);
  std::vector<std::vector<double>> ratios(cycle);
  for (std::size_t c = 1; c <= cycles; ++c) {
    const Past one = past.subspan(past.size() - c * cycle, cycle);
    const double mean = mean_of(one);
    if (!(mean > 0)) continue;
    for (std::size_t i = 0; i < cycle; ++i)
      if (!std::isnan(one[i])) ratios[i].push_back(one[i] / mean);
  }
  std::vector<double> shape(cycle);
  std::transform(ratios.begin(), ratios.end(), shape.begin(), blended);
  const double usual = mean_of(shape);
  for (double& s : shape)
    if (std::isnan(s)) s = std::isnan(usual) ? 1 : usual;
  return shape;
}

// What the shape has to be multiplied by to fit the newest steps.
double level_of(Past past, const std::vector<double>& shape, std::size_t steps) {
  const Past recent = newest(past, steps);
  double actual = 0, expected = 0;
  for (std::size_t i = 0; i < recent.size(); ++i) {
    const std::size_t back = recent.size() - i;
    if (std::isnan(recent[i])) continue;
    actual += recent[i];
    expected += shape[(shape.size() - back % shape.size()) % shape.size()];
  }
  if (expected > 0) return actual / expected;
  const double mean = mean_of(past);
  return std::isnan(mean) ? 0 : mean;
}

using Model = std::function<std::vector<double>(Past, std::size_t horizon)>;

Model profile_model(std::size_t cycle, std::size_t cycles, std::size_t level_steps) {
  return [=](Past past, std::size_t horizon) {
    return profile_forecast(past, {cycle, cycles, level_steps}, horizon);
  };
}
Model naive_model(std::size_t cycle) {
  return [=](Past past, std::size_t horizon) { return seasonal_naive(past, cycle, horizon); };
}

// Those that so long a past is enough for.
std::vector<Model> models_for(std::size_t steps, Cycles cycles) {
  std::vector<Model> models;
  if (cycles.day && steps >= cycles.day) {
    models.push_back(naive_model(cycles.day));
    models.push_back(profile_model(cycles.day, kDaysOfShape, cycles.day));
  }
  if (cycles.week && steps >= cycles.week) {
    const std::size_t newest_day = cycles.day ? cycles.day : 1;
    models.push_back(naive_model(cycles.week));
    models.push_back(profile_model(cycles.week, kWeeksOfShape, cycles.week));
    models.push_back(profile_model(cycles.week, kWeeksOfShape, newest_day));
  }
  if (models.empty()) {
    models.push_back(naive_model(1));
    models.push_back(profile_model(1, kDaysOfShape, kDaysOfShape));
  }
  return models;
}

double mean_miss(Past actual, const std::vector<double>& forecast) {
  std::vector<double> misses;
  for (std::size_t i = 0; i < actual.size(); ++i)
    misses.push_back(std::abs(actual[i] - forecast[i]));
  return mean_of(misses);
}

// Which of the models was nearest over the last `horizon` steps, seen from before them.
std::size_t nearest_of(const std::vector<Model>& models, Past past, std::size_t horizon) {
  const std::size_t held_out = std::min(horizon, past.size() / 3);
  const Past before = past.first(past.size() - held_out), actual = past.last(held_out);
  std::size_t best = 0;
  double best_miss = std::numeric_limits<double>::infinity();
  for (std::size_t m = 0; m < models.size() && held_out > 0; ++m) {
    const double miss = mean_miss(actual, models[m](before, held_out));
    if (miss >= best_miss || std::isnan(miss)) continue;
    best = m;
    best_miss = miss;
  }
  return best;
}

}  // namespace

std::vector<double> seasonal_naive(Past past, std::size_t cycle, std::size_t horizon) {
  CHECK(cycle > 0);
  std::vector<double> one(std::min(cycle, horizon), last_known(past));
  for (std::size_t i = 0; i < one.size(); ++i) {
    for (std::size_t back = cycle - i; back <= past.size(); back += cycle) {
      if (std::isnan(past[past.size() - back])) continue;
      one[i] = past[past.size() - back];
      break;
    }
  }
  std::vector<double> out(horizon);
  for (std::size_t h = 0; h < horizon; ++h) out[h] = one[h % cycle];
  return out;
}

std::vector<double> profile_forecast(Past past, const ProfileOptions& options,
                                     std::size_t horizon) {
  CHECK(options.cycle > 0);
  const auto shape = cycle_shape(past, options);
  const double level = level_of(past, shape, options.level_steps);
  std::vector<double> out(horizon);
  for (std::size_t h = 0; h < horizon; ++h) out[h] = std::max(0.0, shape[h % shape.size()] * level);
  return out;
}

std::vector<double> point_forecast(Past past, Cycles cycles, std::size_t horizon) {
  const auto models = models_for(past.size(), cycles);
  std::vector<std::vector<double>> forecasts;
  for (const Model& model : models) forecasts.push_back(model(past, horizon));
  const auto& best = forecasts[nearest_of(models, past, horizon)];
  std::vector<double> out(horizon);
  for (std::size_t h = 0; h < horizon; ++h) {
    std::vector<double> guesses;
    for (const auto& forecast : forecasts) guesses.push_back(forecast[h]);
    out[h] = (median_of(std::move(guesses)) + best[h]) / 2;
  }
  return out;
}

std::vector<double> peak_forecast(Past past, Cycles cycles, std::vector<double> point) {
  if (!cycles.week || past.size() < cycles.week) return point;
  const auto weekly =
      profile_forecast(past, {cycles.week, kWeeksOfShape, cycles.week}, point.size());
  for (std::size_t h = 0; h < point.size(); ++h) point[h] = std::max(point[h], weekly[h]);
  return point;
}

}  // namespace showcaller
