// SPDX-License-Identifier: Apache-2.0
// False alarms and delays of the e-detector on a metric like a game's: 12 errors a minute, cycles
// of day and week, load that drifts, and a harmless doubling of five minutes every other day.
#include "analysis/count_detector.h"

#include <cmath>
#include <numbers>
#include <optional>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

constexpr std::size_t kDaysOfHistory = 28;

class ErrorMetric {
 public:
  explicit ErrorMetric(std::uint64_t seed) : random_(seed) {}

  double next(double factor = 1) {
    constexpr double kTurn = 2 * std::numbers::pi;
    constexpr double kStay = 0.995;
    const double day = 1 + 0.4 * std::sin(kTurn * double(minute_ % kMinutesOfDay) / kMinutesOfDay);
    const double week = minute_ / kMinutesOfDay % 7 >= 5 ? 1.15 : 1;
    load_ = kStay * load_ + 0.08 * std::sqrt(1 - kStay * kStay) * random_.normal();
    if (doubled_left_ > 0) --doubled_left_;
    if (random_.chance(1.0 / (2 * kMinutesOfDay))) doubled_left_ = 5;
    ++minute_;
    const double mean = 12 * day * week * std::exp(load_) * (doubled_left_ > 0 ? 2 : 1) * factor;
    return double(random_.poisson(mean));
  }
  std::size_t minute_of_day() const { return minute_ % kMinutesOfDay; }

  CountDetector learnt() {
    std::vector<double> history(kDaysOfHistory * kMinutesOfDay);
    for (double& count : history) count = next();
    return CountDetector(learn_count_profile(history));
  }

 private:
  Random random_;
  std::size_t minute_ = 0;
  double load_ = 0;
  int doubled_left_ = 0;
};

// Minutes until the first alarm of that kind, within four hours.
std::optional<int> minutes_to_find(std::uint64_t seed, double factor, CountChange wanted) {
  ErrorMetric metric(seed);
  CountDetector detector = metric.learnt();
  for (std::size_t m = 0; m < 500 + seed * 137 % kMinutesOfDay; ++m) {
    const std::size_t minute = metric.minute_of_day();
    detector.look(minute, metric.next());
  }
  for (int m = 1; m <= 240; ++m) {
    const std::size_t minute = metric.minute_of_day();
    if (detector.look(minute, metric.next(factor)) == wanted) return m;
  }
  return std::nullopt;
}

struct Found {
  int found = 0;
  int median_minutes = 0;
};
Found found_of(int runs, double factor, CountChange wanted) {
  std::vector<int> delays;
  for (int run = 1; run <= runs; ++run)
    if (const auto delay = minutes_to_find(std::uint64_t(run), factor, wanted))
      delays.push_back(*delay);
  std::sort(delays.begin(), delays.end());
  return {int(delays.size()), delays.empty() ? 0 : delays[delays.size() / 2]};
}

TEST(CountDetector, FalseAlarmsAreRare) {
  constexpr int kRuns = 10, kDays = 28;
  int alarms = 0;
  for (int run = 1; run <= kRuns; ++run) {
    ErrorMetric metric(std::uint64_t(run) + 100);
    CountDetector detector = metric.learnt();
    for (std::size_t m = 0; m < kDays * kMinutesOfDay; ++m) {
      const std::size_t minute = metric.minute_of_day();
      alarms += detector.look(minute, metric.next()) != CountChange::None;
    }
  }
  EXPECT_LE(alarms / double(kRuns * kDays), 0.06);
}

TEST(CountDetector, ADoublingIsFoundInAQuarterOfAnHour) {
  const Found doubled = found_of(20, 2, CountChange::More);
  EXPECT_EQ(doubled.found, 20);
  EXPECT_LE(doubled.median_minutes, 15);
  const Found fivefold = found_of(20, 5, CountChange::More);
  EXPECT_EQ(fivefold.found, 20);
  EXPECT_LE(fivefold.median_minutes, 5);
}

TEST(CountDetector, HalfAsManyMoreAreMostlyFoundWithinFourHours) {
  EXPECT_GE(found_of(20, 1.5, CountChange::More).found, 14);
}

TEST(CountDetector, SilenceIsFoundToo) {
  const Found silent = found_of(20, 0, CountChange::Fewer);
  EXPECT_EQ(silent.found, 20);
  EXPECT_LE(silent.median_minutes, 15);
}

TEST(CountDetector, OneBadMinuteDoesNotFire) {
  ErrorMetric metric(7);
  CountDetector detector = metric.learnt();
  EXPECT_EQ(detector.look(metric.minute_of_day(), 10'000), CountChange::None);
}

TEST(CountDetector, MinutesThatAreMissingChangeNothing) {
  ErrorMetric metric(8);
  CountDetector detector = metric.learnt();
  const double before = detector.level();
  EXPECT_EQ(detector.look(0, std::nan("")), CountChange::None);
  EXPECT_EQ(detector.level(), before);
}

TEST(CountDetector, LittleHistoryGivesAFlatDay) {
  const CountProfile none = learn_count_profile({});
  EXPECT_EQ(none.dispersion, 1);
  const std::vector<double> day(kMinutesOfDay, 5);
  EXPECT_DOUBLE_EQ(learn_count_profile(day).usual[700], 5);
}

}  // namespace
}  // namespace showcaller
