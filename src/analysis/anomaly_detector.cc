// SPDX-License-Identifier: Apache-2.0
#include "analysis/anomaly_detector.h"

#include <algorithm>
#include <cmath>

namespace showcaller {
namespace {

constexpr std::size_t kWindow = 8192;
constexpr std::size_t kGapWindow = 101;
constexpr std::size_t kRowsMin = 30;
constexpr Duration kSlot = minutes(5);
constexpr std::size_t kCyclesKnown = 2;
constexpr double kCycleWeightMin = 0.2;      // of the newest cycle in a slot's usual value
constexpr double kSeriesLevelHalfLife = 12;  // rows
constexpr double kSlowHalfLife = 200;
constexpr double kShiftHalfLife = 6;
constexpr double kShiftWeight = 0.8;
constexpr double kNoveltyMax = 3;
constexpr double kReach = 3;  // scales that one value may pull what is learnt
constexpr double kRepeatWeight = 0.5;
constexpr double kRepeatRows = 400;
constexpr double kHalfScore = 1.5;  // the surprise whose score is 0.5
constexpr double kStepsMax = 1000;

double weight_of(double half_life, double steps) {
  return 1 - std::exp2(-steps / half_life);
}

}  // namespace

CycleProfile::CycleProfile(Duration cycle) : slots_(std::size_t(cycle / kSlot)) {}

std::int64_t CycleProfile::slot_number(Instant time) const {
  const std::int64_t ms = to_ms(time), slot = kSlot.count();
  return ms >= 0 ? ms / slot : -((slot - 1 - ms) / slot);
}

std::optional<double> CycleProfile::usual_at(Instant time) const {
  const auto size = std::int64_t(slots_.size());
  const std::int64_t number = slot_number(time);
  double sum = 0;
  int known = 0;
  for (std::int64_t n = number - 1; n <= number + 1; ++n) {
    const Slot& slot = slots_[std::size_t((n % size + size) % size)];
    if (slot.cycles < kCyclesKnown) continue;
    sum += slot.usual;
    ++known;
  }
  if (known == 0) return std::nullopt;
  return sum / known;
}

void CycleProfile::learn(Instant time, double value, double part, double reach) {
  const auto size = std::int64_t(slots_.size());
  const std::int64_t number = slot_number(time);
  const std::int64_t place = (number % size + size) % size;
  const std::int64_t cycle = (number - place) / size;
  Slot& slot = slots_[std::size_t(place)];
  if (slot.cycles == 0) slot.usual = value;
  if (slot.cycles == 0 || slot.last_cycle != cycle) ++slot.cycles;
  slot.last_cycle = cycle;
  double pull = value - slot.usual;
  if (slot.cycles > kCyclesKnown) pull = std::clamp(pull, -reach, reach);
  slot.usual += part * std::max(1 / double(slot.cycles), kCycleWeightMin) * pull;
}

AnomalyDetector::AnomalyDetector()
    : gaps_(kGapWindow),
      residuals_(kWindow),
      values_(kWindow),
      flat_shifts_(kWindow),
      cyclic_shifts_(kWindow),
      day_(hours(24)),
      week_(hours(24 * 7)) {}

double AnomalyDetector::steps_since(Instant time) {
  const double gap = rows_ > 0 ? double((time - last_).count()) : 0;
  if (gap <= 0) return 1;
  gaps_.add(gap);
  return std::clamp(gap / gaps_.at(0.5), 1.0, kStepsMax);
}

AnomalyDetector::Expected AnomalyDetector::expect(Instant time, double value, double steps) const {
  const auto day = day_.usual_at(time), week = week_.usual_at(time);
  // A level is the less sure the longer nothing was seen, as that of a random walk.
  Expected out{std::abs(value - level_) / std::sqrt(steps), value - slow_level_, day || week};
  if (day) out.deviation = value - *day;
  if (week && (!day || std::abs(value - *week) < std::abs(out.deviation)))
    out.deviation = value - *week;
  if (out.cyclic) out.nearest = std::min(out.nearest, std::abs(out.deviation));
  return out;
}

// Never 0: a stream that never moved has the scale of its size.
double AnomalyDetector::scale_of(const SlidingQuantiles& seen) const {
  return std::max({3 * seen.at(0.5), 1.7 * seen.at(0.9), 0.8 * seen.at(0.99), 0.5 * seen.at(0.999),
                   1e-3 * (high_ - low_), 1e-6 * std::abs(level_), 1e-12});
}

double AnomalyDetector::novelty_of(double value) const {
  const double beyond = std::max({value - high_, low_ - value, 0.0});
  const double width = std::max({(values_.at(0.99) - values_.at(0.01)) / 2, 0.1 * (high_ - low_),
                                 1e-6 * std::abs(level_), 1e-12});
  return std::min(beyond / width, kNoveltyMax);
}

void AnomalyDetector::learn(Instant time, double value, double steps, double reach) {
  values_.add(value);
  low_ = std::min(low_, value);
  high_ = std::max(high_, value);
  level_ += weight_of(kSeriesLevelHalfLife, steps) * std::clamp(value - level_, -reach, reach);
  const double slow_half_life = std::min(double(rows_ + 1), kSlowHalfLife);
  slow_level_ += weight_of(slow_half_life, steps) * std::clamp(value - slow_level_, -reach, reach);
  const double gap = gaps_.size() > 0 ? gaps_.at(0.5) : double(kSlot.count());
  const double part = std::min(1.0, gap / double(kSlot.count()));
  day_.learn(time, value, part, reach);
  week_.learn(time, value, part, reach);
  last_ = std::max(last_, time);
  ++rows_;
}

// The first surprise of an incident stands; what does not exceed it is told at half.
double AnomalyDetector::suppressed(double surprise) {
  const double told = surprise > to_exceed_ ? surprise : kRepeatWeight * surprise;
  to_exceed_ = std::max(surprise, to_exceed_ * (1 - 1 / kRepeatRows));
  return told;
}

double AnomalyDetector::score(Instant time, double value) {
  if (!std::isfinite(value)) return 0;
  if (rows_ == 0) {
    level_ = slow_level_ = low_ = high_ = value;
    last_ = time;
  }
  const double steps = steps_since(time);
  const Expected expected = expect(time, value, steps);
  if (expected.cyclic && !std::exchange(cyclic_, true)) shift_ = 0;
  const double weight = weight_of(kShiftHalfLife, 1);
  shift_ = shift_ * std::pow(1 - weight, steps) + weight * expected.deviation;
  SlidingQuantiles& shifts = cyclic_ ? cyclic_shifts_ : flat_shifts_;

  const double scale = scale_of(residuals_);
  const double residual = expected.nearest / scale;
  const double shift = shifts.size() < kRowsMin ? 0 : std::abs(shift_) / scale_of(shifts);
  const double surprise = std::max(residual, kShiftWeight * shift) + novelty_of(value);
  const bool known = rows_ >= kRowsMin;
  residuals_.add(expected.nearest);
  shifts.add(std::abs(shift_));
  learn(time, value, steps, kReach * scale);
  if (!known) return 0;
  const double told = suppressed(surprise);
  return told / (told + kHalfScore);
}

}  // namespace showcaller
