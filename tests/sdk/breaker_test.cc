// SPDX-License-Identifier: Apache-2.0
#include "showcaller/breaker.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "showcaller/showcaller.h"

namespace showcaller::sdk {
namespace {

using std::chrono::milliseconds;

struct SteppedTime {
  milliseconds at{1'000'000};
  BreakerOptions options() {
    return {.calls_min = 4, .trials = 1, .now = [this] { return at; }};
  }
};

TEST(Breaker, OpensTriesAndCloses) {
  SteppedTime time;
  Breaker breaker(time.options());
  for (int i = 0; i < 4; ++i) {
    Breaker::Call call = breaker.admit();
    ASSERT_TRUE(call);
    call.fail();
  }
  EXPECT_EQ(breaker.standing(), BreakerStanding::Open);
  EXPECT_FALSE(breaker.admit());
  EXPECT_EQ(breaker.wait(), milliseconds(30'000));
  time.at += milliseconds(30'000);
  EXPECT_EQ(breaker.standing(), BreakerStanding::HalfOpen);
  Breaker::Call trial = breaker.admit();
  ASSERT_TRUE(trial);
  EXPECT_FALSE(breaker.admit());
  trial.succeed();
  EXPECT_EQ(breaker.standing(), BreakerStanding::Closed);
}

TEST(Breaker, ATrialThatWasNotMadeMakesRoom) {
  SteppedTime time;
  Breaker breaker(time.options());
  for (int i = 0; i < 4; ++i) breaker.admit().fail();
  time.at += milliseconds(30'000);
  {
    const Breaker::Call unused = breaker.admit();
  }
  EXPECT_TRUE(breaker.admit());
}

TEST(Breaker, OutlivedByACallIsNoHarm) {
  Breaker::Call call;
  {
    Breaker breaker;
    call = breaker.admit();
  }
  call.succeed();
  call.fail();
}

TEST(Breaker, ManyThreadsShareOne) {
  SteppedTime time;
  Breaker breaker(time.options());
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) {
        if (Breaker::Call call = breaker.admit()) {
          ++made;
          call.fail();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(breaker.standing(), BreakerStanding::Open);
  EXPECT_LT(made.load(), 4 + 4) << "what was under way when it opened, and no more";
}

TEST(Breaker, InC) {
  const showcaller_breaker_options options{
      .failure_share = 0, .calls_min = 2, .trials = 1, .window_ms = 0, .open_for_ms = 60'000};
  showcaller_breaker* breaker = showcaller_breaker_new(&options);
  for (int i = 0; i < 2; ++i) {
    const uint64_t call = showcaller_breaker_begin(breaker);
    ASSERT_NE(call, 0u);
    showcaller_breaker_end(breaker, call, 0);
  }
  EXPECT_EQ(showcaller_breaker_state(breaker), SHOWCALLER_BREAKER_OPEN);
  EXPECT_EQ(showcaller_breaker_begin(breaker), 0u);
  EXPECT_GT(showcaller_breaker_wait_ms(breaker), 0);
  showcaller_breaker_free(breaker);
  showcaller_breaker_free(nullptr);
}

}  // namespace
}  // namespace showcaller::sdk
