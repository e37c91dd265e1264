// SPDX-License-Identifier: Apache-2.0
#include "analysis/count_detector.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace showcaller {
namespace {

constexpr std::array<double, 3> kTheta{1.5, 2, 4};
constexpr double kMargin = 1.2;
constexpr double kStepMax = 3;
constexpr double kAlarm = 20'000;
constexpr std::size_t kDaysMax = 28;
constexpr std::ptrdiff_t kSmoothReach = 15;  // minutes either side
constexpr std::size_t kBlock = 15;           // minutes
constexpr double kLevelHalfLife = 6 * 60;    // minutes
constexpr double kUsualMin = 1e-3;           // a minute in which nothing is usual
constexpr double kMadToVariance = 2.198;     // 1.4826^2

double median_of(std::vector<double>* values) {
  if (values->empty()) return 0;
  const auto middle = values->begin() + std::ptrdiff_t(values->size() / 2);
  std::nth_element(values->begin(), middle, values->end());
  if (values->size() % 2) return *middle;
  return (*middle + *std::max_element(values->begin(), middle)) / 2;
}

std::array<double, kMinutesOfDay> smoothed(const std::array<double, kMinutesOfDay>& day) {
  constexpr auto kSize = std::ptrdiff_t(kMinutesOfDay);
  std::array<double, kMinutesOfDay> out{};
  for (std::ptrdiff_t m = 0; m < kSize; ++m) {
    double sum = 0;
    for (std::ptrdiff_t d = -kSmoothReach; d <= kSmoothReach; ++d)
      sum += day[std::size_t((m + d + kSize) % kSize)];
    out[std::size_t(m)] = std::max(kUsualMin, sum / (2 * kSmoothReach + 1));
  }
  return out;
}

// What a block's count is off by, in standard deviations of a Poisson count, the day's own level
// taken out.
double dispersion_of(std::span<const double> counts, const CountProfile& profile) {
  std::vector<double> off;
  double level = 1;
  for (std::size_t at = 0; at + kBlock <= counts.size(); at += kBlock) {
    double seen = 0, usual = 0;
    for (std::size_t i = at; i < at + kBlock; ++i) {
      if (std::isnan(counts[i])) continue;
      seen += counts[i];
      usual += profile.usual[i % kMinutesOfDay];
    }
    if (usual <= 0) continue;
    off.push_back((seen - usual * level) / std::sqrt(usual * level));
    const double weight = 1 - std::exp2(-double(kBlock) / kLevelHalfLife);
    level += weight * (std::clamp(seen / usual, 0.5, 1.5) - level);
  }
  const double middle = median_of(&off);
  for (double& o : off) o = std::abs(o - middle);
  const double mad = median_of(&off);
  return std::max(1.0, kMadToVariance * mad * mad);
}

// One minute's evidence for a factor theta against one of margin.
double evidence_of(double count, double expected, double theta, double margin, double dispersion) {
  const double nats = count * std::log(theta / margin) - expected * (theta - margin);
  return std::min(kStepMax, nats / dispersion);
}

template <class Evidence>
bool alarms(const Evidence& evidence) {
  double sum = 0;
  for (const double g : evidence) sum += std::exp(g);
  return sum / double(evidence.size()) > kAlarm;
}

}  // namespace

CountProfile learn_count_profile(std::span<const double> counts) {
  const std::size_t days = std::min(counts.size() / kMinutesOfDay, kDaysMax);
  const auto newest = counts.last(days * kMinutesOfDay);
  CountProfile profile;
  std::array<double, kMinutesOfDay> day{};
  std::vector<double> seen, all;
  for (std::size_t m = 0; m < kMinutesOfDay; ++m) {
    seen.clear();
    for (std::size_t d = 0; d < days; ++d) {
      const double count = newest[d * kMinutesOfDay + m];
      if (!std::isnan(count)) seen.push_back(count);
    }
    all.insert(all.end(), seen.begin(), seen.end());
    day[m] = median_of(&seen);
  }
  if (days < 2) day.fill(median_of(&all));
  profile.usual = smoothed(day);
  profile.dispersion = dispersion_of(newest, profile);
  return profile;
}

CountChange CountDetector::look(std::size_t minute_of_day, double count) {
  CHECK(minute_of_day < kMinutesOfDay);
  if (std::isnan(count)) return CountChange::None;
  const double usual = profile_.usual[minute_of_day], expected = usual * level_;
  for (std::size_t i = 0; i < kThetas; ++i) {
    more_[i] = std::max(0.0, more_[i]) +
               evidence_of(count, expected, kTheta[i], kMargin, profile_.dispersion);
    fewer_[i] = std::max(0.0, fewer_[i]) +
                evidence_of(count, expected, 1 / kTheta[i], 1 / kMargin, profile_.dispersion);
  }
  level_ += (1 - std::exp2(-1 / kLevelHalfLife)) * (std::clamp(count / usual, 0.5, 1.5) - level_);
  const CountChange change = alarms(more_)    ? CountChange::More
                             : alarms(fewer_) ? CountChange::Fewer
                                              : CountChange::None;
  if (change != CountChange::None) more_ = fewer_ = {};
  return change;
}

}  // namespace showcaller
