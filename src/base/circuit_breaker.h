// SPDX-License-Identifier: Apache-2.0
// A circuit breaker: whether a call to something that may be down is worth making. Pure: time comes
// in as a value.
//
//   closed     calls go; when of those of the last `window` at least `calls_min` are known and the
//              share that failed is at least `failure_max_ppm`, it opens
//   open       no call goes for `open_for`; then it is half open
//   half open  `trials` calls go, one after another or at once; when that many have succeeded in a
//              row it closes and forgets, and the first that fails opens it again
//
// A call that was let go before the breaker opened and ends after it tells nothing any more. Trials
// of which nobody tells for `open_for` are as if they had not been, and others may go. The window
// moves in ten steps, so that a call counts for between nine and ten tenths of it.
//
// Threads: none; who shares one locks it. Limits: memory is constant.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/fields.h"
#include "base/time.h"

namespace showcaller {

enum class BreakerState : std::uint8_t { Closed, Open, HalfOpen };  // On disk by name.
template <>
struct EnumNames<BreakerState> {
  static constexpr std::array<std::string_view, 3> names{"closed", "open", "half_open"};
};

struct BreakerLimits {
  std::int64_t failure_max_ppm = 500'000;
  int calls_min = 10;
  Duration window = minutes(1);
  Duration open_for = seconds(30);
  int trials = 2;
};

class CircuitBreaker {
 public:
  explicit CircuitBreaker(BreakerLimits limits = {}) : limits_(limits) {}

  // Names the period of the breaker that the call belongs to; absent: it is not to be made.
  std::optional<std::uint64_t> admit(Instant now);
  // What came of a call that was admitted.
  void succeeded(std::uint64_t period, Instant now);
  void failed(std::uint64_t period, Instant now);
  // An admitted call was not made after all.
  void withdrew(std::uint64_t period);

  BreakerState state(Instant now) const;
  // When open: how long until a call may be tried.
  Duration wait(Instant now) const;
  std::int64_t calls(Instant now) const;
  std::int64_t failures(Instant now) const;
  // What it was told before stays; a change of limits does not open or close it.
  void set_limits(const BreakerLimits& limits) { limits_ = limits; }

 private:
  static constexpr std::size_t kSteps = 10;
  struct Step {
    std::int64_t number = -1;  // of the step in time
    std::int64_t calls = 0, failures = 0;
  };
  struct Counts {
    std::int64_t calls = 0, failures = 0;
  };

  void count(bool failure, Instant now);
  Counts counts(Instant now) const;
  std::int64_t step_of(Instant now) const;
  void open(Instant now);
  void begin_trials(Instant now);
  void close();

  BreakerLimits limits_;
  std::array<Step, kSteps> steps_{};
  std::uint64_t period_ = 1;       // one more with each opening, half-opening and closing
  std::optional<Instant> opened_;  // absent: closed
  std::optional<Instant> tried_;   // half open since
  int trials_out_ = 0, trials_good_ = 0;
};

}  // namespace showcaller
