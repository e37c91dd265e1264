// SPDX-License-Identifier: Apache-2.0
#include "flow/probe_schedule.h"

#include <set>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

const Instant kMidday = parse_instant("2026-12-18T12:00:00Z").value();

ProbeSpec spec(std::vector<std::string> regions = {}) {
  ProbeSpec out;
  out.every = seconds(30);
  out.timeout = seconds(5);
  out.failures = 2;
  out.regions = std::move(regions);
  return out;
}

TEST(ProbeSchedule, TheFirstIsAtOnceAndLaterOnesDoNotMarchInStep) {
  EXPECT_EQ(pause_before(spec(), "join", "eu", 1), seconds(0));
  std::set<Duration> pauses;
  for (std::uint64_t n = 2; n < 100; ++n) {
    const Duration pause = pause_before(spec(), "join", "eu", n);
    EXPECT_GE(pause, seconds(27));
    EXPECT_LE(pause, seconds(33));
    EXPECT_EQ(pause, pause_before(spec(), "join", "eu", n)) << "the same again";
    pauses.insert(pause);
  }
  EXPECT_GT(pauses.size(), 50u);
  EXPECT_NE(pause_before(spec(), "join", "eu", 2), pause_before(spec(), "join", "us", 2));
  ProbeSpec steady = spec();
  steady.jitter_ppm = 0;
  EXPECT_EQ(pause_before(steady, "join", "eu", 2), seconds(30));
}

TEST(ProbeStanding, IsReadyOnceAJourneyWasGoodAndUntilSeveralFail) {
  ProbeStanding standing;
  EXPECT_EQ(standing.verdict(spec(), kMidday).says, "no journey yet");
  standing.note("", "enter: 503", {}, kMidday);
  EXPECT_EQ(standing.verdict(spec(), kMidday).says, "enter: 503");
  EXPECT_FALSE(standing.verdict(spec(), kMidday).ready) << "it was never good";
  standing.note("", "", std::chrono::milliseconds(40), kMidday);
  EXPECT_TRUE(standing.verdict(spec(), kMidday).ready);
  standing.note("", "enter: 503", {}, kMidday);
  EXPECT_TRUE(standing.verdict(spec(), kMidday).ready) << "once is no news";
  standing.note("", "enter: 504", {}, kMidday);
  EXPECT_FALSE(standing.verdict(spec(), kMidday).ready);
  EXPECT_EQ(standing.verdict(spec(), kMidday).says, "enter: 504");
  standing.note("", "", {}, kMidday);
  EXPECT_TRUE(standing.verdict(spec(), kMidday).ready);
  EXPECT_EQ(standing.places().at("").journeys, 5);
  EXPECT_EQ(standing.places().at("").failed, 3);
}

TEST(ProbeStanding, EveryRegionThatIsNamedHasToBeGoodAndHeardOf) {
  const ProbeSpec both = spec({"eu", "us"});
  ProbeStanding standing;
  standing.note("eu", "", {}, kMidday);
  EXPECT_EQ(standing.verdict(both, kMidday).says, "us: no journey yet");
  standing.note("us", "", {}, kMidday);
  EXPECT_TRUE(standing.verdict(both, kMidday).ready);
  EXPECT_EQ(standing.verdict(both, kMidday).says, "eu, us");
  standing.note("us", "", {}, kMidday + seconds(60));
  const auto later = standing.verdict(both, kMidday + seconds(96));
  EXPECT_FALSE(later.ready) << "a prober that is silent is not well";
  EXPECT_EQ(later.says, "eu: nothing heard since 2026-12-18T12:00:00Z");
}

}  // namespace
}  // namespace showcaller
