// SPDX-License-Identifier: Apache-2.0
// Forecasts of demand: what they do on simple series, and how often they cover the peak on many.
#include "analysis/demand_forecast.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/analysis/series_world.h"

namespace showcaller {
namespace {

using test::hourly_demand;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

RegularSeries hourly(std::vector<double> values) {
  return {instant_ms(0), hours(1), std::move(values), {}};
}

// Four weeks of a day cycle that is twice as high on two days of seven.
std::vector<double> clean_weeks() {
  std::vector<double> values;
  for (int t = 0; t < 4 * 168; ++t) values.push_back((10 + t % 24) * (t / 24 % 7 >= 5 ? 2.0 : 1.0));
  return values;
}

double rate_of_coverage(const test::DemandWorld& world, double* over) {
  std::size_t windows = 0, covered = 0;
  std::vector<double> overs;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto record = record_of_forecasts(hourly(hourly_demand(world, seed)), 48);
    windows += record.windows;
    covered += record.covered;
    overs.push_back(record.over_provision_median);
  }
  std::nth_element(overs.begin(), overs.begin() + 20, overs.end());
  *over = overs[20];
  return double(covered) / double(windows);
}

TEST(DemandForecast, ACleanWeekGoesOn) {
  const auto values = clean_weeks();
  const auto forecast = forecast_demand(hourly(values), 48);
  for (std::size_t h = 0; h < 48; ++h) EXPECT_NEAR(forecast.value[h], values[h], 1e-9) << h;
  EXPECT_EQ(forecast.origins, 20u);
  EXPECT_NEAR(forecast.factor, 1.04, 1e-9);
}

TEST(DemandForecast, MissingHoursAreTakenFromTheWeekBefore) {
  const auto whole = clean_weeks();
  auto values = whole;
  for (std::size_t t = values.size() - 60; t < values.size(); ++t) values[t] = kMissing;
  for (std::size_t t = 100; t < values.size(); t += 7) values[t] = kMissing;
  const auto forecast = forecast_demand(hourly(values), 48);
  for (std::size_t h = 0; h < 48; ++h)
    EXPECT_NEAR(forecast.value[h], whole[h], whole[h] * 0.15) << h;
}

TEST(DemandForecast, ALevelThatRoseIsFollowed) {
  auto values = clean_weeks();
  for (std::size_t t = values.size() - 72; t < values.size(); ++t) values[t] *= 1.5;
  const auto forecast = forecast_demand(hourly(values), 24);
  double sum = 0, before = 0;
  for (std::size_t h = 0; h < 24; ++h) {
    sum += forecast.value[h];
    before += clean_weeks()[h];
  }
  EXPECT_GT(sum / before, 1.3);
}

TEST(DemandForecast, PlannedEventsRaiseTheirHoursAlone) {
  const auto series = hourly(clean_weeks());
  const Instant end = instant_ms(0) + hours(4 * 168);
  const auto plain = forecast_demand(series, 24);
  const auto raised = forecast_demand(series, 24, {{1.5, end + hours(3), end + hours(5)}});
  for (std::size_t h = 0; h < 24; ++h) {
    const double by = h == 3 || h == 4 ? 1.5 : 1;
    EXPECT_NEAR(raised.value[h], plain.value[h] * by, 1e-9);
    EXPECT_NEAR(raised.upper[h], plain.upper[h] * by, 1e-9);
  }
}

TEST(DemandForecast, ShortAndOddSeriesAreForecastToo) {
  const std::vector<double> cases[] = {{5},
                                       {5, 6, 7},
                                       std::vector<double>(30, 7),
                                       std::vector<double>(800, 0),
                                       {kMissing, 4, kMissing},
                                       std::vector<double>(700, -3)};
  for (const auto& values : cases) {
    const auto forecast = forecast_demand(hourly(values), 48);
    ASSERT_EQ(forecast.value.size(), 48u);
    const double last = std::isnan(values.back()) ? 4 : values.back();
    for (std::size_t h = 0; h < 48; ++h) {
      EXPECT_NEAR(forecast.value[h], last, 2) << values.size();
      EXPECT_GE(forecast.upper[h], forecast.value[h] - 1e-9) << values.size();
    }
    record_of_forecasts(hourly(values), 48);
  }
}

TEST(DemandForecast, SeriesBelowZeroAreCoveredLikeOthers) {
  auto values = hourly_demand({}, 5);
  const auto above = forecast_demand(hourly(values), 48);
  double low = 0;
  for (double& v : values) low = std::min(low, v -= 5000);
  const auto below = forecast_demand(hourly(values), 48);
  for (std::size_t h = 0; h < 48; ++h) {
    EXPECT_GE(below.upper[h], below.value[h]);
    EXPECT_NEAR(below.value[h] + 5000, above.value[h], above.value[h] * 0.2);
  }
}

// What is promised: at least 94 % of 48-hour peaks covered, at 10 % too much in the median.
TEST(DemandForecast, PeaksOfTwoDaysAreCoveredAtLittleTooMuch) {
  double over = 0;
  EXPECT_GE(rate_of_coverage({.growth_a_week = 0.03, .noise = 0.02, .drift = 0.02}, &over), 0.94);
  EXPECT_LE(over, 0.10);
}

TEST(DemandForecast, HolidaysAndLaunchesAreMostlyCovered) {
  double over = 0;
  EXPECT_GE(rate_of_coverage({.holidays_a_day = 0.03}, &over), 0.93);
  EXPECT_LE(over, 0.20);
  EXPECT_GE(rate_of_coverage({.launches_an_hour = 1.0 / 400}, &over), 0.88);
}

// Seen on such series: 0.70; a seasonal naive forecast has 1 by definition.
TEST(DemandForecast, TheBestGuessBeatsTheDayBefore) {
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    sum += record_of_forecasts(hourly(hourly_demand({}, seed)), 48).mase;
  EXPECT_LT(sum / 20, 0.85);
}

TEST(DemandForecast, TheRecordKnowsOnlyWhatWasKnownThen) {
  auto values = hourly_demand({}, 9);
  const auto record = record_of_forecasts(hourly(values), 48);
  EXPECT_EQ(record.windows, 28u);
  // A past that is too short for a factor has no record.
  values.resize(200);
  EXPECT_EQ(record_of_forecasts(hourly(values), 48).windows, 0u);
}

}  // namespace
}  // namespace showcaller
