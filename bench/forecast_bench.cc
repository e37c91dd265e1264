// SPDX-License-Identifier: Apache-2.0
// Forecasts of demand held against what came, on made series with cycles of day and week: how many
// 48-hour peaks are covered, at how much too much, beside "as a day ago and 10 % more". Then what a
// row costs the detector of odd values, and a minute the e-detector of counts.
#include <cmath>

#include "analysis/anomaly_detector.h"
#include "analysis/count_detector.h"
#include "analysis/demand_forecast.h"
#include "base/random.h"
#include "bench/figure.h"
#include "tests/analysis/series_world.h"

namespace showcaller {
namespace {

constexpr std::size_t kHorizon = 48;
constexpr int kSeries = 100;

struct Cover {
  double covered_percent = 0;
  double over_percent = 0;  // the median over series of the median over windows
  double mase = 0;
};

double peak_of(std::span<const double> values) {
  return *std::max_element(values.begin(), values.end());
}

Cover ours(const test::DemandWorld& world) {
  Cover out;
  double windows = 0;
  std::vector<double> over;
  for (int seed = 1; seed <= kSeries; ++seed) {
    const RegularSeries series{
        instant_ms(0), hours(1), test::hourly_demand(world, std::uint64_t(seed)), {}};
    const ForecastRecord record = record_of_forecasts(series, kHorizon);
    windows += double(record.windows);
    out.covered_percent += 100 * double(record.covered);
    over.push_back(100 * record.over_provision_median);
    out.mase += record.mase / kSeries;
  }
  out.covered_percent /= windows;
  out.over_percent = bench::median(over);
  return out;
}

// The same windows, as a day ago and 10 % more.
Cover naive(const test::DemandWorld& world) {
  Cover out;
  double windows = 0;
  std::vector<double> medians;
  for (int seed = 1; seed <= kSeries; ++seed) {
    const auto values = test::hourly_demand(world, std::uint64_t(seed));
    const Past all = values;
    std::vector<double> over;
    for (std::size_t w = 0; w < 28; ++w) {
      const std::size_t origin = all.size() - kHorizon - 24 * w;
      const double upper = 1.1 * peak_of(seasonal_naive(all.first(origin), 24, kHorizon));
      const double actual = peak_of(all.subspan(origin, kHorizon));
      out.covered_percent += upper >= actual ? 100 : 0;
      over.push_back(100 * (upper / actual - 1));
      ++windows;
    }
    medians.push_back(bench::median(over));
  }
  out.covered_percent /= windows;
  out.over_percent = bench::median(medians);
  return out;
}

void add_world(std::vector<bench::Figure>* figures, const std::string& name,
               const test::DemandWorld& world) {
  const Cover our = ours(world), other = naive(world);
  const auto figure = [&](const char* what, const char* unit, double a, double b) {
    figures->push_back({name + ": " + what, unit, a, b, "a day ago + 10 %", a / b, 0});
  };
  figure("peaks covered", "%", our.covered_percent, other.covered_percent);
  figure("over-provision, median", "%", our.over_percent, other.over_percent);
  figures->push_back({name + ": best guess", "MASE", our.mase, 1, "a day ago", our.mase, 0});
}

std::uint64_t exps(int n) {
  volatile double sum = 0;
  for (int i = 0; i < n; ++i) sum = sum + std::exp(-1e-3 * i);
  return std::uint64_t(n);
}

bench::Figure forecast_figure() {
  const RegularSeries series{instant_ms(0), hours(1), test::hourly_demand({}, 1), {}};
  const auto work = [&] {
    (void)forecast_demand(series, kHorizon);
    return std::uint64_t(1);
  };
  return bench::compare(
      "forecast of 48 h from 8 weeks", "ms/op", work, [] { return exps(1 << 20) / (1 << 20); },
      "a million exp");
}

bench::Figure anomaly_figure() {
  const auto work = [] {
    AnomalyDetector detector;
    Random random(1);
    for (int i = 0; i < 20'000; ++i)
      detector.score(instant_ms(0) + minutes(5) * i, random.lognormal(3, 0.5));
    return std::uint64_t(20'000);
  };
  return bench::compare("odd values, a row", "ns/op", work, [] { return exps(1 << 20); }, "exp");
}

bench::Figure count_figure() {
  CountProfile profile;
  profile.usual.fill(12);
  CountDetector detector(profile);
  const auto work = [&] {
    for (std::size_t m = 0; m < 1'000'000; ++m)
      detector.look(m % kMinutesOfDay, double(10 + m * 7 % 5));
    return std::uint64_t(1'000'000);
  };
  return bench::compare(
      "e-detector of counts, a minute", "ns/op", work, [] { return exps(1 << 20); }, "exp");
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  std::vector<bench::Figure> figures;
  add_world(&figures, "calm", {.noise = 0.02, .drift = 0.02});
  add_world(&figures, "growing 3 % a week", {.growth_a_week = 0.03, .noise = 0.02, .drift = 0.02});
  add_world(&figures, "unquiet", {.noise = 0.04, .drift = 0.04});
  add_world(&figures, "holidays", {.holidays_a_day = 0.03});
  add_world(&figures, "launches nobody planned", {.launches_an_hour = 1.0 / 400});
  figures.push_back(forecast_figure());
  figures.push_back(anomaly_figure());
  figures.push_back(count_figure());
  bench::print_figures(argc, argv, figures);
}
