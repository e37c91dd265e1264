// SPDX-License-Identifier: Apache-2.0
#include "base/circuit_breaker.h"

#include <algorithm>

namespace showcaller {

std::int64_t CircuitBreaker::step_of(Instant now) const {
  const std::int64_t length = std::max<std::int64_t>(1, limits_.window.count() / kSteps);
  return to_ms(now) / length;
}

void CircuitBreaker::count(bool failure, Instant now) {
  const std::int64_t number = step_of(now);
  Step& step = steps_[std::size_t(number) % kSteps];
  if (step.number != number) step = {.number = number};
  ++step.calls;
  step.failures += failure ? 1 : 0;
}

CircuitBreaker::Counts CircuitBreaker::counts(Instant now) const {
  const std::int64_t number = step_of(now);
  Counts out;
  for (const Step& step : steps_) {
    if (step.number <= number - std::int64_t(kSteps) || step.number > number) continue;
    out.calls += step.calls;
    out.failures += step.failures;
  }
  return out;
}

std::int64_t CircuitBreaker::calls(Instant now) const {
  return counts(now).calls;
}
std::int64_t CircuitBreaker::failures(Instant now) const {
  return counts(now).failures;
}

void CircuitBreaker::open(Instant now) {
  ++period_;
  opened_ = now;
  tried_.reset();
}

void CircuitBreaker::begin_trials(Instant now) {
  ++period_;
  tried_ = now;
  trials_out_ = trials_good_ = 0;
}

void CircuitBreaker::close() {
  ++period_;
  opened_.reset();
  tried_.reset();
  steps_ = {};
}

std::optional<std::uint64_t> CircuitBreaker::admit(Instant now) {
  if (!opened_) return period_;
  if (now - tried_.value_or(*opened_) >= limits_.open_for) begin_trials(now);
  if (!tried_ || trials_out_ + trials_good_ >= std::max(1, limits_.trials)) return std::nullopt;
  ++trials_out_;
  return period_;
}

void CircuitBreaker::succeeded(std::uint64_t period, Instant now) {
  if (period != period_) return;
  if (!tried_) return count(false, now);
  --trials_out_;
  if (++trials_good_ >= std::max(1, limits_.trials)) close();
}

void CircuitBreaker::failed(std::uint64_t period, Instant now) {
  if (period != period_) return;
  count(true, now);
  if (tried_) return open(now);
  const Counts seen = counts(now);
  // In millions, not as a share: nothing is rounded.
  if (seen.calls >= limits_.calls_min &&
      seen.failures * 1'000'000 >= limits_.failure_max_ppm * seen.calls)
    open(now);
}

void CircuitBreaker::withdrew(std::uint64_t period) {
  if (period == period_ && tried_) --trials_out_;
}

BreakerState CircuitBreaker::state(Instant now) const {
  if (!opened_) return BreakerState::Closed;
  return tried_ || now - *opened_ >= limits_.open_for ? BreakerState::HalfOpen : BreakerState::Open;
}

Duration CircuitBreaker::wait(Instant now) const {
  if (!opened_ || tried_) return {};
  return std::max(Duration{}, limits_.open_for - (now - *opened_));
}

}  // namespace showcaller
