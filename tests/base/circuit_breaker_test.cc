// SPDX-License-Identifier: Apache-2.0
#include "base/circuit_breaker.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace showcaller {
namespace {

const Instant kStart = instant_ms(1'000'000'000);

BreakerLimits small_limits() {
  return {.failure_max_ppm = 500'000,
          .calls_min = 4,
          .window = seconds(10),
          .open_for = seconds(5),
          .trials = 2};
}

void fail_once(CircuitBreaker* breaker, Instant now) {
  if (const auto period = breaker->admit(now)) breaker->failed(*period, now);
}
void succeed_once(CircuitBreaker* breaker, Instant now) {
  if (const auto period = breaker->admit(now)) breaker->succeeded(*period, now);
}
void break_it(CircuitBreaker* breaker, Instant now) {
  for (int i = 0; i < 4; ++i) fail_once(breaker, now);
}

TEST(CircuitBreaker, FewFailuresOpenNothing) {
  CircuitBreaker breaker(small_limits());
  for (int i = 0; i < 3; ++i) fail_once(&breaker, kStart);
  EXPECT_EQ(breaker.state(kStart), BreakerState::Closed);
  fail_once(&breaker, kStart);
  EXPECT_EQ(breaker.state(kStart), BreakerState::Open);
  EXPECT_FALSE(breaker.admit(kStart));
  EXPECT_EQ(breaker.wait(kStart + seconds(2)), seconds(3));
}

TEST(CircuitBreaker, OpensByTheShareThatFailed) {
  CircuitBreaker breaker(small_limits());
  for (int i = 0; i < 5; ++i) succeed_once(&breaker, kStart);
  for (int i = 0; i < 4; ++i) fail_once(&breaker, kStart);
  EXPECT_EQ(breaker.state(kStart), BreakerState::Closed) << "4 of 9 are less than half";
  fail_once(&breaker, kStart);
  EXPECT_EQ(breaker.state(kStart), BreakerState::Open);
}

TEST(CircuitBreaker, WhatIsOlderThanTheWindowIsForgotten) {
  CircuitBreaker breaker(small_limits());
  for (int i = 0; i < 3; ++i) fail_once(&breaker, kStart);
  fail_once(&breaker, kStart + seconds(11));
  EXPECT_EQ(breaker.state(kStart + seconds(11)), BreakerState::Closed);
  EXPECT_EQ(breaker.calls(kStart + seconds(11)), 1);
}

TEST(CircuitBreaker, TrialsCloseItOrOpenItAgain) {
  CircuitBreaker breaker(small_limits());
  break_it(&breaker, kStart);
  const Instant later = kStart + seconds(5);
  EXPECT_EQ(breaker.state(later), BreakerState::HalfOpen);
  const auto first = breaker.admit(later), second = breaker.admit(later);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(breaker.admit(later)) << "two trials and no more";
  breaker.succeeded(*first, later);
  EXPECT_FALSE(breaker.admit(later));
  breaker.succeeded(*second, later);
  EXPECT_EQ(breaker.state(later), BreakerState::Closed);
  break_it(&breaker, later);
  const Instant again = later + seconds(5);
  fail_once(&breaker, again);
  EXPECT_EQ(breaker.state(again), BreakerState::Open);
}

TEST(CircuitBreaker, AnAnswerFromBeforeItOpenedTellsNothing) {
  CircuitBreaker breaker(small_limits());
  const auto slow = breaker.admit(kStart);
  break_it(&breaker, kStart);
  breaker.succeeded(*slow, kStart + seconds(5));
  EXPECT_EQ(breaker.state(kStart + seconds(5)), BreakerState::HalfOpen);
  const auto trial = breaker.admit(kStart + seconds(5));
  ASSERT_TRUE(trial);
  breaker.failed(*slow, kStart + seconds(5));
  EXPECT_EQ(breaker.state(kStart + seconds(5)), BreakerState::HalfOpen);
}

TEST(CircuitBreaker, TrialsOfWhichNobodyTellsDoNotKeepItForEver) {
  CircuitBreaker breaker(small_limits());
  break_it(&breaker, kStart);
  const Instant later = kStart + seconds(5);
  ASSERT_TRUE(breaker.admit(later));
  ASSERT_TRUE(breaker.admit(later));
  EXPECT_FALSE(breaker.admit(later + seconds(4)));
  EXPECT_TRUE(breaker.admit(later + seconds(5)));
}

TEST(CircuitBreaker, ACallThatWasNotMadeFreesItsPlace) {
  CircuitBreaker breaker(small_limits());
  break_it(&breaker, kStart);
  const Instant later = kStart + seconds(5);
  ASSERT_TRUE(breaker.admit(later));
  const auto unused = breaker.admit(later);
  ASSERT_TRUE(unused);
  EXPECT_FALSE(breaker.admit(later));
  breaker.withdrew(*unused);
  EXPECT_TRUE(breaker.admit(later));
}

// However calls go: while open nothing passes, half open never more than the trials at once, and an
// open breaker is not closed before `open_for` is over.
TEST(CircuitBreaker, LetsNothingThroughThatItShouldNot) {
  EXPECT_TRUE(rc::check([] {
    CircuitBreaker breaker(small_limits());
    Instant now = kStart;
    std::vector<std::uint64_t> under_way;
    std::optional<Instant> opened;
    for (int i = 0; i < 200; ++i) {
      const BreakerState before = breaker.state(now);
      const int what = *rc::gen::inRange(0, 4);
      if (what == 0) now += Duration(*rc::gen::inRange(0, 3'000));
      if (what == 1) {
        if (const auto period = breaker.admit(now)) {
          RC_ASSERT(before != BreakerState::Open);
          under_way.push_back(*period);
        }
      }
      if (what >= 2 && !under_way.empty()) {
        const std::uint64_t period = under_way.back();
        under_way.pop_back();
        what == 2 ? breaker.failed(period, now) : breaker.succeeded(period, now);
      }
      const BreakerState after = breaker.state(now);
      if (after == BreakerState::Open && before != BreakerState::Open) opened = now;
      if (after == BreakerState::Closed && before != BreakerState::Closed)
        RC_ASSERT(opened && now - *opened >= seconds(5));
    }
  }));
}

}  // namespace
}  // namespace showcaller
