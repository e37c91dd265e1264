// SPDX-License-Identifier: Apache-2.0
// What is odd in a stream, and what only looks so.
#include "analysis/anomaly_detector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

constexpr double kOdd = 0.5;
constexpr int kDay = 288;

std::vector<double> scores_of(const std::vector<double>& values, Duration step = minutes(5)) {
  AnomalyDetector detector;
  std::vector<double> scores;
  for (std::size_t i = 0; i < values.size(); ++i)
    scores.push_back(detector.score(instant_ms(0) + step * std::int64_t(i), values[i]));
  return scores;
}

int odd_in(const std::vector<double>& scores, std::size_t from, std::size_t until) {
  return int(std::count_if(scores.begin() + std::ptrdiff_t(from),
                           scores.begin() + std::ptrdiff_t(until),
                           [](double s) { return s > kOdd; }));
}

// Fourteen days of work from nine to six.
std::vector<double> working_days(std::uint64_t seed) {
  Random random(seed);
  std::vector<double> values;
  for (int i = 0; i < 14 * kDay; ++i) {
    const int hour = i % kDay / 12;
    values.push_back((hour >= 9 && hour < 18 ? 80 : 20) + 8 * random.uniform());
  }
  return values;
}

TEST(Anomaly, ASpikeIsOddAndNoiseIsNot) {
  Random random(1);
  std::vector<double> values;
  for (int i = 0; i < 4000; ++i) values.push_back(42 + 2 * random.normal());
  values[3000] = 90;
  const auto scores = scores_of(values);
  EXPECT_GT(scores[3000], 0.8);
  EXPECT_LE(odd_in(scores, 0, 3000), 2);
}

TEST(Anomaly, AStepIsOddOnceAndIsSoonUsual) {
  Random random(2);
  std::vector<double> values;
  for (int i = 0; i < 4000; ++i) values.push_back((i < 2000 ? 30 : 70) + random.normal());
  const auto scores = scores_of(values);
  EXPECT_GT(*std::max_element(scores.begin() + 2000, scores.begin() + 2003), 0.8);
  EXPECT_EQ(odd_in(scores, 2400, 4000), 0);
}

TEST(Anomaly, TheWayUpInTheMorningIsUsualAndItsAbsenceIsNot) {
  auto values = working_days(3);
  const auto usual = scores_of(values);
  EXPECT_EQ(odd_in(usual, 4 * kDay, 14 * kDay), 0);
  Random random(4);
  for (int i = 10 * kDay; i < 11 * kDay; ++i) values[std::size_t(i)] = 20 + 8 * random.uniform();
  const auto scores = scores_of(values);
  EXPECT_GT(odd_in(scores, 10 * kDay + 9 * 12, 10 * kDay + 18 * 12), 0);
}

// One incident is one alarm: what follows and is smaller counts half.
TEST(Anomaly, WhatFollowsASurpriseAndIsSmallerCountsHalf) {
  Random random(5);
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i) values.push_back(10 + random.normal());
  values[2000] = 60;
  values[2050] = 59;
  const auto scores = scores_of(values);
  EXPECT_GT(scores[2000], 0.8);
  EXPECT_GT(scores[2000], scores[2050] + 0.03);
}

// A score that looked ahead would change with what comes later.
TEST(Anomaly, AScoreDependsOnNoLaterRow) {
  Random random(6);
  std::vector<double> values;
  for (int i = 0; i < 2000; ++i) values.push_back(random.lognormal(3, 0.5));
  const auto whole = scores_of(values);
  auto other = values;
  for (std::size_t i = 1000; i < other.size(); ++i) other[i] = 1e6;
  const auto changed = scores_of(other);
  EXPECT_TRUE(std::equal(whole.begin(), whole.begin() + 1000, changed.begin()));
}

TEST(Anomaly, EverySeriesHasScoresFromZeroToOne) {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::vector<double>> cases{std::vector<double>(500, 0),
                                         std::vector<double>(500, -7.5),
                                         std::vector<double>(500, missing),
                                         {1},
                                         {}};
  Random random(7);
  std::vector<double> wild;
  for (int i = 0; i < 500; ++i)
    wild.push_back(random.chance(0.1) ? missing : random.normal() * std::pow(10, random.below(90)));
  cases.push_back(wild);
  for (const auto& values : cases) {
    for (const double score : scores_of(values)) {
      EXPECT_GE(score, 0);
      EXPECT_LE(score, 1);
    }
  }
}

TEST(Anomaly, AConstantSeriesIsNeverOddUntilItMoves) {
  std::vector<double> values(1000, 45);
  values[900] = 45.5;
  const auto scores = scores_of(values);
  EXPECT_EQ(odd_in(scores, 0, 900), 0);
  EXPECT_GT(scores[900], kOdd);
}

// After a pause a level is not what it was, and nobody saw it move.
TEST(Anomaly, APauseMakesTheLevelUnsure) {
  const auto score_after = [](std::int64_t pause_steps) {
    AnomalyDetector detector;
    Random random(8);
    double level = 100;
    for (int i = 0; i < 1000; ++i) {
      level += random.normal();
      detector.score(instant_ms(0) + minutes(5) * i, level);
    }
    return detector.score(instant_ms(0) + minutes(5) * (999 + pause_steps), level - 8);
  };
  EXPECT_GT(score_after(1), score_after(30));
}

TEST(Anomaly, RowsOutOfOrderAndTwiceAreTaken) {
  AnomalyDetector detector;
  for (int i = 0; i < 200; ++i)
    detector.score(instant_ms(0) + minutes(i % 3 ? i : i / 2), 5 + i % 2);
  EXPECT_GT(detector.score(instant_ms(0), 50), kOdd);
}

// Steps of a minute share a slot of five: a slot is known after two days, not two minutes.
TEST(Anomaly, MinutesAndHoursHaveTheSameDay) {
  for (const Duration step : {minutes(1), hours(1)}) {
    std::vector<double> values;
    const auto a_day = std::size_t(hours(24) / step);
    Random random(9);
    for (std::size_t i = 0; i < 9 * a_day; ++i)
      values.push_back(100 + 50 * std::sin(2 * std::numbers::pi * double(i) / double(a_day)) +
                       2 * random.normal());
    values[8 * a_day] = 10;
    const auto scores = scores_of(values, step);
    EXPECT_GT(scores[8 * a_day], 0.7) << format_duration(step);
    EXPECT_LE(odd_in(scores, 4 * a_day, 8 * a_day), 3) << format_duration(step);
  }
}

}  // namespace
}  // namespace showcaller
