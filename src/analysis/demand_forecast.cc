// SPDX-License-Identifier: Apache-2.0
#include "analysis/demand_forecast.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <span>

namespace showcaller {
namespace {

constexpr std::size_t kOrigins = 28;     // at most, to learn the factor from
constexpr std::size_t kOriginsMin = 4;   // fewer say nothing of the record
constexpr std::size_t kWindowsMax = 28;  // of the record
constexpr double kSpread = 0.3;
constexpr double kHighMargin = 1.04;
constexpr double kUnseenFactor = 1.3;
constexpr double kRatioMax = 10;  // a peak after nothing at all says no more than this

double peak_of(Past values) {
  double peak = -std::numeric_limits<double>::infinity();
  for (const double v : values)
    if (!std::isnan(v)) peak = std::max(peak, v);
  return peak;
}

// Ratios need a zero: values below it move it down.
double floor_of(Past values) {
  double floor = 0;
  for (const double v : values)
    if (!std::isnan(v)) floor = std::min(floor, v);
  return floor;
}

std::vector<double> raised(Past values, double by) {
  std::vector<double> out(values.begin(), values.end());
  for (double& v : out) v += by;
  return out;
}

// A forecast made in the past, and what came.
struct View {
  std::size_t origin = 0;
  double ratio = 0;  // the peak that came over the peak that was forecast
  std::vector<double> value;
};

std::optional<View> view_from(Past values, std::size_t origin, Cycles cycles, std::size_t horizon) {
  const Past past = values.first(origin);
  const double actual = peak_of(values.subspan(origin, horizon));
  if (!std::isfinite(actual)) return std::nullopt;
  View view{origin, 0, point_forecast(past, cycles, horizon)};
  const double forecast = peak_of(peak_forecast(past, cycles, view.value));
  const double ratio = forecast > 0 ? actual / forecast : actual > 0 ? kRatioMax : 1;
  view.ratio = std::min(ratio, kRatioMax);
  return view;
}

// From origins a day apart, newest first, each with a whole cycle before it and `horizon` after it.
std::vector<View> views_of(Past values, Cycles cycles, std::size_t horizon, std::size_t views_max) {
  const std::size_t apart = cycles.day ? cycles.day : 1;
  const std::size_t before = std::max<std::size_t>({cycles.week, cycles.day, 2});
  std::vector<View> views;
  for (std::size_t back = horizon; back + before <= values.size() && views.size() < views_max;
       back += apart)
    if (auto view = view_from(values, values.size() - back, cycles, horizon))
      views.push_back(std::move(*view));
  return views;
}

struct PeakFactor {
  double factor = kUnseenFactor;
  std::size_t origins = 0;
};

// What the newest of the views that were over at `now` teach.
PeakFactor peak_factor(std::span<const View> views, std::size_t now, std::size_t horizon) {
  std::vector<double> ratios;
  for (const View& view : views)
    if (view.origin + horizon <= now && ratios.size() < kOrigins) ratios.push_back(view.ratio);
  if (ratios.empty()) return {};
  std::sort(ratios.begin(), ratios.end(), std::greater<>());
  const double high = ratios[ratios.size() / 14], middle = ratios[ratios.size() / 2];
  return {(high + kSpread * (high - middle)) * kHighMargin, ratios.size()};
}

double uplift_at(Instant time, const std::vector<PlannedUplift>& uplifts) {
  double factor = 1;
  for (const PlannedUplift& uplift : uplifts)
    if (time >= uplift.from && time < uplift.until) factor *= uplift.factor;
  return factor;
}

struct Errors {
  double absolute = 0, relative = 0;  // sums
  std::size_t steps = 0;

  void add(double actual, double forecast) {
    if (std::isnan(actual)) return;
    const double size = std::abs(actual) + std::abs(forecast);
    absolute += std::abs(actual - forecast);
    relative += size > 0 ? 200 * std::abs(actual - forecast) / size : 0;
    ++steps;
  }
};

// Mean error of saying "as a cycle ago" of every step: the yardstick of MASE.
double naive_error(Past values, std::size_t cycle) {
  double sum = 0;
  std::size_t n = 0;
  for (std::size_t i = cycle; i < values.size(); ++i) {
    if (std::isnan(values[i]) || std::isnan(values[i - cycle])) continue;
    sum += std::abs(values[i] - values[i - cycle]);
    ++n;
  }
  return n ? sum / double(n) : 0;
}

}  // namespace

DemandForecast forecast_demand(const RegularSeries& series, std::size_t horizon,
                               const std::vector<PlannedUplift>& uplifts) {
  const Cycles cycles = cycles_of(series.step);
  const double floor = floor_of(series.values);
  const auto past = raised(series.values, -floor);
  const auto views = views_of(past, cycles, horizon, kOrigins);
  const PeakFactor factor = peak_factor(views, past.size(), horizon);
  DemandForecast out{point_forecast(past, cycles, horizon), {}, factor.factor, factor.origins};
  out.upper = peak_forecast(past, cycles, out.value);
  for (std::size_t h = 0; h < horizon; ++h) {
    const Instant time = series.start + series.step * std::int64_t(past.size() + h);
    const double uplift = uplift_at(time, uplifts);
    out.value[h] = out.value[h] * uplift + floor;
    out.upper[h] = out.upper[h] * uplift * factor.factor + floor;
  }
  return out;
}

ForecastRecord record_of_forecasts(const RegularSeries& series, std::size_t horizon) {
  const Cycles cycles = cycles_of(series.step);
  const double floor = floor_of(series.values);
  const auto values = raised(series.values, -floor);
  const std::size_t apart = cycles.day ? cycles.day : 1;
  const auto views =
      views_of(values, cycles, horizon, kWindowsMax + kOrigins + horizon / apart + 1);
  ForecastRecord out;
  std::vector<double> over;
  Errors errors;
  for (const View& view : views) {
    const PeakFactor factor = peak_factor(views, view.origin, horizon);
    if (factor.origins < kOriginsMin || out.windows == kWindowsMax) break;
    ++out.windows;
    out.covered += factor.factor >= view.ratio;
    if (view.ratio > 0) over.push_back(factor.factor / view.ratio - 1);
    for (std::size_t h = 0; h < horizon; ++h)
      errors.add(series.values[view.origin + h], view.value[h] + floor);
  }
  if (!over.empty()) {
    const auto middle = over.begin() + std::ptrdiff_t(over.size() / 2);
    std::nth_element(over.begin(), middle, over.end());
    out.over_provision_median = *middle;
  }
  if (errors.steps > 0) {
    const double yardstick = naive_error(values, apart);
    out.smape_percent = errors.relative / double(errors.steps);
    if (yardstick > 0) out.mase = errors.absolute / double(errors.steps) / yardstick;
  }
  return out;
}

}  // namespace showcaller
