// SPDX-License-Identifier: Apache-2.0
// What evidence at any look may claim, and how soon it does.
#include "analysis/burn_detector.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

constexpr double kBurnBound = 0.002;  // twice what an objective of 99.9 % allows
constexpr Duration kLookEvery = seconds(10);

BadCounts drawn_look(Random* random, double sessions, double share) {
  BadCounts out;
  out.n = std::int64_t(random->poisson(sessions));
  out.bad = std::int64_t(random->binomial(std::uint64_t(out.n), share));
  out.squares = out.bad;
  return out;
}

// Looks until the evidence is there; `most` where it never is.
std::int64_t looks_until(double evidence, double sessions, double share, std::int64_t most,
                         Random* random) {
  BurnDetector detector;
  for (std::int64_t look = 1; look <= most; ++look) {
    detector.add(Instant(look * kLookEvery), drawn_look(random, sessions, share),
                 {kBurnBound, evidence + 1});
    if (detector.proof().evidence >= evidence) return look;
  }
  return most;
}

// At the bound itself, where it is likeliest: within t looks at most t / c.
TEST(BurnDetector, ClaimsFalselyNoMoreOftenThanItPromises) {
  Random random(7);
  constexpr std::int64_t kLooks = 400, kRuns = 400;
  for (const double sessions : {3.0, 100.0, 2'000.0}) {
    std::int64_t false_claims = 0;
    for (std::int64_t run = 0; run < kRuns; ++run)
      false_claims +=
          looks_until(std::log(4'000.0), sessions, kBurnBound, kLooks, &random) < kLooks;
    const double promised = double(kRuns) * double(kLooks) / 4'000;
    EXPECT_LE(double(false_claims), promised + 3 * std::sqrt(promised)) << sessions;
  }
}

TEST(BurnDetector, WhatIsWithinHalfOfTheBoundIsCalm) {
  Random random(8);
  BurnDetector detector;
  for (std::int64_t look = 1; look <= 2'000; ++look)
    detector.add(Instant(look * kLookEvery), drawn_look(&random, 400, 0.0004), {kBurnBound, 14});
  EXPECT_GE(detector.proof().calm, kCalmEnough);
  EXPECT_LT(detector.proof().evidence, 3);
}

TEST(BurnDetector, ManyPlayersProveItSoonerThanFew) {
  Random random(9);
  const std::int64_t busy = looks_until(14, 4'000, 0.02, 10'000, &random);
  const std::int64_t slow = looks_until(14, 100, 0.02, 10'000, &random);
  EXPECT_LE(busy, 2);
  EXPECT_GT(slow, 3 * busy);
  EXPECT_LT(looks_until(14, 4'000, 0.006, 10'000, &random), 12) << "two minutes";
}

TEST(BurnDetector, ThinTrafficProvesNothing) {
  BurnDetector detector;
  detector.add(Instant(kLookEvery), {10, 1, 1}, {kBurnBound, 14});
  EXPECT_LT(detector.proof().evidence, 5);
  BurnDetector silent;
  silent.add(Instant(kLookEvery), {}, {kBurnBound, 14});
  EXPECT_EQ(silent.proof().evidence, 0);
  EXPECT_EQ(silent.proof().calm, 0);
}

// An instance that dies takes its sessions with it.
TEST(BurnDetector, AClumpIsOneMisfortune) {
  BurnDetector alone, together;
  alone.add(Instant(kLookEvery), {100, 20, 20}, {kBurnBound, 40});
  together.add(Instant(kLookEvery), {100, 20, 400}, {kBurnBound, 40});
  EXPECT_GT(alone.proof().evidence, 20);
  EXPECT_LT(together.proof().evidence, 5);
}

TEST(BurnDetector, CountsWhatBurnsAndNotWhatCameBefore) {
  Random random(10);
  BurnDetector detector;
  for (std::int64_t look = 1; look <= 500; ++look)
    detector.add(Instant(look * kLookEvery), drawn_look(&random, 400, 0.0003), {kBurnBound, 14});
  detector.add(Instant(501 * kLookEvery), {400, 40, 40}, {kBurnBound, 14});
  const BurnProof proof = detector.proof();
  EXPECT_EQ(proof.since, Instant(501 * kLookEvery));
  EXPECT_EQ(proof.bad, 40);
  EXPECT_EQ(proof.n, 400);
  EXPECT_LT(proof.calm, kCalmEnough);
}

// Evidence that is kept without end would make an outage last as long again.
TEST(BurnDetector, WhatIsOverIsSoonOver) {
  BurnDetector detector;
  for (std::int64_t look = 1; look <= 360; ++look)
    detector.add(Instant(look * kLookEvery), {400, 200, 200}, {kBurnBound, 14});
  std::int64_t looks = 0;
  while (looks < 1'000 &&
         (detector.proof().calm < kCalmEnough || detector.proof().evidence >= 14)) {
    ++looks;
    detector.add(Instant((360 + looks) * kLookEvery), {400, 0, 0}, {kBurnBound, 14});
  }
  EXPECT_LE(looks, 30) << "five minutes";
}

TEST(BurnDetector, AnotherBoundIsAnotherQuestion) {
  BurnDetector detector;
  detector.add(Instant(kLookEvery), {400, 40, 40}, {kBurnBound, 14});
  EXPECT_GT(detector.proof().evidence, 10);
  detector.add(Instant(2 * kLookEvery), {400, 40, 40}, {0.2, 14});
  EXPECT_EQ(detector.proof().evidence, 0);
}

}  // namespace
}  // namespace showcaller
