// SPDX-License-Identifier: Apache-2.0
#include "sim/truth.h"

#include <algorithm>
#include <cmath>

namespace showcaller::sim {
namespace {

constexpr double kZ99 = 2.3263478740408408;
const Duration kDriftMemory = minutes(10);
const Duration kShockMean = minutes(3);

// A game whose errors double is a quarter slower: what meets rates meets times, less.
double times_at(double trouble) {
  return std::sqrt(std::sqrt(trouble));
}

}  // namespace

Truth::Truth(const Population& population, std::vector<Measured> metrics, std::vector<Fault> faults,
             std::uint64_t seed)
    : population_(population),
      metrics_(std::move(metrics)),
      faults_(std::move(faults)),
      random_(seed),
      crash_rate_(double(population.crash_ppm) / 1e6) {
  for (Measured& metric : metrics_) {
    if (metric.is_crash) crash_rate_ = metric.rate;
    metric.sigma = std::log(metric.p99 / metric.median) / kZ99;
  }
}

void Truth::advance(Duration now, std::optional<Duration> since_applied,
                    std::optional<Duration> since_admitted) {
  const double passed_h = double((now - now_).count()) / 3.6e6;
  now_ = now;
  since_applied_ = since_applied;
  since_admitted_ = since_admitted;
  if (!faults_.empty()) {
    for (int kind = 0; kind < kFaultKinds; ++kind)
      acting_[std::size_t(kind)] = found_acting(FaultKind(kind));
  }
  if (shock_ > 1) {
    if (now >= shock_ends_) shock_ = 1;
  } else if (random_.chance(1 - std::exp(-population_.shocks_per_hour * passed_h))) {
    shock_ = 1.5 + 2.5 * random_.uniform();
    shock_ends_ = now + Duration(std::int64_t(random_.exponential(double(kShockMean.count()))));
  }
}

InstanceMood Truth::new_mood() {
  const double sd = population_.instance_spread;
  InstanceMood mood{sd * random_.quick_normal(), sd * random_.quick_normal(), 1, now_};
  mood.level = level_of(mood);
  return mood;
}

// The mean over instances is one.
double Truth::level_of(const InstanceMood& mood) const {
  const double sd = population_.instance_spread;
  return std::exp(mood.fixed + mood.drift - sd * sd);
}

void Truth::let_drift(InstanceMood* mood) {
  if (mood->drifted >= now_) return;
  const Duration passed = now_ - mood->drifted;
  if (passed != drift_passed_) {  // Most were looked at in the same step.
    drift_passed_ = passed;
    drift_kept_ = std::exp(-double(passed.count()) / double(kDriftMemory.count()));
    drift_added_ = std::sqrt(1 - drift_kept_ * drift_kept_) * population_.instance_spread;
  }
  mood->drift = drift_kept_ * mood->drift + drift_added_ * random_.quick_normal();
  mood->level = level_of(*mood);
  mood->drifted = now_;
}

double Truth::trouble(const InstanceMood& mood, Duration age) const {
  double out = mood.level * shock_;
  if (age < population_.cold_start)
    out *= 2 - double(age.count()) / double(population_.cold_start.count());
  return out;
}

std::optional<Duration> Truth::since_of(FaultKind kind) const {
  return is_of_preparation(kind) ? since_applied_ : since_admitted_;
}

const Fault* Truth::found_acting(FaultKind kind) const {
  const auto since = since_of(kind);
  if (!since) return nullptr;
  const Fault* last = nullptr;
  for (const Fault& fault : faults_) {
    if (fault.kind == kind && fault.active(*since) && (!last || fault.from >= last->from))
      last = &fault;
  }
  return last;
}

std::vector<const Fault*> Truth::begun(FaultKind kind) const {
  std::vector<const Fault*> out;
  const auto since = since_of(kind);
  for (const Fault& fault : faults_) {
    if (fault.kind != kind || !since) continue;
    if (strikes_once(kind) ? *since >= fault.from : fault.active(*since)) out.push_back(&fault);
  }
  return out;
}

bool Truth::is_harmful() const {
  return std::any_of(faults_.begin(), faults_.end(), [&](const Fault& fault) {
    return harms_players(fault.kind) && acting(fault.kind) == &fault;
  });
}

double Truth::size_of(FaultKind kind, double otherwise) const {
  const Fault* fault = acting(kind);
  return fault ? fault->size : otherwise;
}

double Truth::crash_rate(double trouble, bool canary) const {
  const double ratio = canary ? size_of(FaultKind::Crashes, 1) : 1;
  return std::min(1.0, crash_rate_ * trouble * ratio);
}

double Truth::rate(const Measured& metric, double trouble, bool canary) const {
  const double worse = trouble * (canary ? size_of(FaultKind::Errors, 1) : 1);
  const bool bounded = metric.type == MetricType::Binary;
  if (metric.lower_is_better)
    return bounded ? std::min(1.0, metric.rate * worse) : metric.rate * worse;
  // What should happen fails to: its failures grow.
  if (bounded) return std::max(0.0, 1 - (1 - metric.rate) * worse);
  return metric.rate / worse;
}

Truth::Shape Truth::shape_of(const Measured& metric, double trouble, bool canary) const {
  const double sigma = metric.sigma;
  double times = times_at(trouble);
  double worse = sigma;  // the spread on the side that hurts
  if (canary) {
    times *= size_of(FaultKind::Latency, 1);
    worse += std::log(size_of(FaultKind::Tail, 1)) / kZ99;
  }
  if (metric.lower_is_better) return {metric.median * times, sigma, worse};
  return {metric.median / times, worse, sigma};
}

double Truth::above(const Measured& metric, double cut, double trouble, bool canary) const {
  const Shape shape = shape_of(metric, trouble, canary);
  const double distance = std::log(cut / shape.median);
  const double sigma = distance > 0 ? shape.upper_sigma : shape.lower_sigma;
  return 0.5 * std::erfc(distance / sigma / std::sqrt(2.0));
}

double Truth::value(const Measured& metric, double trouble, bool canary, Random* random) const {
  const Shape shape = shape_of(metric, trouble, canary);
  const double z = random->quick_normal();
  return shape.median * std::exp((z > 0 ? shape.upper_sigma : shape.lower_sigma) * z);
}

// One that crashed tells that alone.
Outcome Truth::outcome(const Measured& metric, const Fate& fate, Random* random) const {
  Outcome out;
  if (metric.is_crash) return {1, fate.crashed ? 1 : 0, {}, fate.crashed};
  if (fate.crashed) return out;
  out.n = 1;
  if (metric.type == MetricType::Quantile) {
    out.value = value(metric, fate.trouble, fate.canary, random);
    out.bad = metric.lower_is_better == (*out.value > metric.median);
    return out;
  }
  const double rate_of = rate(metric, fate.trouble, fate.canary);
  if (metric.type == MetricType::Rate)
    out.n = population_.session_players * std::max<std::int64_t>(1, fate.lasted.count() / 1000);
  out.x = metric.type == MetricType::Binary
              ? (random->chance(rate_of) ? 1 : 0)
              : std::int64_t(random->poisson(rate_of * double(out.n)));
  out.bad = metric.lower_is_better == (out.x > 0);
  return out;
}

}  // namespace showcaller::sim
