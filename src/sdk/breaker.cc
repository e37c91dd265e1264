// SPDX-License-Identifier: Apache-2.0
#include "showcaller/breaker.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>

#include "base/circuit_breaker.h"

namespace showcaller::sdk {
namespace {

BreakerLimits limits_of(const BreakerOptions& options) {
  const double share = std::isfinite(options.failure_share) ? options.failure_share : 0.5;
  return {.failure_max_ppm = std::int64_t(std::clamp(share, 0.0, 1.0) * 1e6),
          .calls_min = std::max(1, options.calls_min),
          .window = std::max(options.window, std::chrono::milliseconds(10)),
          .open_for = std::max(options.open_for, std::chrono::milliseconds(1)),
          .trials = std::max(1, options.trials)};
}

}  // namespace

struct Breaker::State {
  explicit State(BreakerOptions with) : options(std::move(with)), breaker(limits_of(options)) {}

  Instant now() const {
    if (options.now) return Instant(options.now());
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return Instant(std::chrono::duration_cast<std::chrono::milliseconds>(since_start));
  }
  std::uint64_t begin() {
    std::lock_guard lock(mutex);
    return breaker.admit(now()).value_or(0);
  }
  void end(std::uint64_t period, bool succeeded) {
    std::lock_guard lock(mutex);
    if (succeeded)
      breaker.succeeded(period, now());
    else
      breaker.failed(period, now());
  }
  void withdraw(std::uint64_t period) {
    std::lock_guard lock(mutex);
    breaker.withdrew(period);
  }

  BreakerOptions options;
  std::mutex mutex;
  CircuitBreaker breaker;
};

Breaker::Breaker(BreakerOptions options) : state_(std::make_shared<State>(std::move(options))) {}
Breaker::~Breaker() = default;

Breaker::Call::Call(Call&& other) noexcept
    : state_(std::move(other.state_)), period_(other.period_) {}

Breaker::Call& Breaker::Call::operator=(Call&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(period_, other.period_);
  return *this;
}

Breaker::Call::~Call() {
  if (state_) state_->withdraw(period_);
}

void Breaker::Call::succeed() {
  if (const auto state = std::exchange(state_, nullptr)) state->end(period_, true);
}

void Breaker::Call::fail() {
  if (const auto state = std::exchange(state_, nullptr)) state->end(period_, false);
}

Breaker::Call Breaker::admit() {
  Call call;
  call.period_ = state_->begin();
  if (call.period_ != 0) call.state_ = state_;
  return call;
}

BreakerStanding Breaker::standing() const {
  std::lock_guard lock(state_->mutex);
  switch (state_->breaker.state(state_->now())) {
    case BreakerState::Open:
      return BreakerStanding::Open;
    case BreakerState::HalfOpen:
      return BreakerStanding::HalfOpen;
    case BreakerState::Closed:
      return BreakerStanding::Closed;
  }
  return BreakerStanding::Closed;
}

std::chrono::milliseconds Breaker::wait() const {
  std::lock_guard lock(state_->mutex);
  return state_->breaker.wait(state_->now());
}

std::uint64_t Breaker::begin() {
  return state_->begin();
}

void Breaker::end(std::uint64_t call, bool succeeded) {
  if (call != 0) state_->end(call, succeeded);
}

}  // namespace showcaller::sdk
