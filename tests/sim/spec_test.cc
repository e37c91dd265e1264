// SPDX-License-Identifier: Apache-2.0
// What a rehearsal is asked in: faults, populations, recorded curves; and the report's arithmetic.
#include <cmath>

#include <gtest/gtest.h>

#include "sim/population.h"
#include "sim/rehearsal.h"

namespace showcaller::sim {
namespace {

TEST(Faults, TextRoundTrips) {
  for (const char* text : {"crashes", "crashes:8", "errors:2.5@10m+20m", "region_loss@5m+10m/eu",
                           "clock_jump:-90@1m", "host_loss/eu-1"}) {
    const auto fault = parse_fault(text);
    ASSERT_TRUE(fault) << text;
    EXPECT_EQ(to_text(*fault), text);
  }
  EXPECT_EQ(parse_fault("crashes:x8")->size, 8);
  EXPECT_EQ(parse_fault("crashes")->size, usual_size(FaultKind::Crashes));
  for (int kind = 0; kind < kFaultKinds; ++kind)
    EXPECT_TRUE(parse_fault(to_string(FaultKind(kind)))) << to_string(FaultKind(kind));
}

TEST(Faults, ErrorsSayWhatToWrite) {
  EXPECT_NE(parse_fault("crashs:5").error().message.find("did you mean 'crashes'"),
            std::string::npos);
  for (const char* text : {"", "crashes:", "crashes:many", "crashes:-1", "lies:2", "errors@soon",
                           "errors+", "skew:nan"}) {
    const auto fault = parse_fault(text);
    ASSERT_FALSE(fault) << text;
    EXPECT_NE(fault.error().message.find("KIND[:SIZE]"), std::string::npos);
  }
}

TEST(Populations, MistakesHaveTheirPlace) {
  std::vector<Finding> findings;
  EXPECT_FALSE(read_population({"p.yaml", "players: many\nsession: { lenght: 3m }\n"}, &findings));
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].line, 1);
  EXPECT_EQ(findings[1].line, 2);
  EXPECT_NE(findings[1].hint.find("length"), std::string::npos);
}

TEST(Populations, EveningsAreFullAndNightsAreNot) {
  std::vector<Finding> findings;
  const auto read =
      read_population({"p.yaml", "players: 4800\nsession: { length: 10m, players: 4 }"}, &findings);
  ASSERT_TRUE(read);
  const Population population = fitted(*read, {});
  const RegionCrowd& region = population.regions.front();
  const auto at = [&](const char* time) {
    return sessions_per_s(population, region, parse_instant(time).value(), {}, {});
  };
  // Saturday evening is the best hour: 4,800 players in sessions of 4 and 10 minutes.
  EXPECT_NEAR(at("2026-06-06T21:00:00Z"), 2.0, 0.01);
  EXPECT_LT(at("2026-06-06T09:00:00Z"), 0.6 * at("2026-06-06T21:00:00Z"));
}

TEST(Populations, RecordedCurvesAreFollowed) {
  const auto curve =
      read_curve("timestamp,players\n2026-06-01T00:00:00Z,1000\r\n2026-06-01T01:00:00Z,3000\n\n");
  ASSERT_TRUE(curve) << curve.error().message;
  std::vector<Finding> findings;
  Population population =
      *read_population({"p", "session: { length: 100s, players: 10 }"}, &findings);
  population.curve = *curve;
  population = fitted(population, {});
  const auto& region = population.regions.front();
  EXPECT_NEAR(sessions_per_s(population, region, {}, minutes(30), {}), 2.0, 1e-9);
  EXPECT_NEAR(sessions_per_s(population, region, {}, hours(9), {}), 3.0, 1e-9);
  for (const char* bad : {"", "timestamp,players\n", "2026-06-01,5", "2026-06-01T00:00:00Z,-5",
                          "2026-06-01T00:00:00Z", "2026-06-01T01:00:00Z,5\n2026-06-01T01:00:00Z,6"})
    EXPECT_FALSE(read_curve(bad)) << bad;
}

TEST(Shares, ComeWithTheirBounds) {
  const json::object twenty = share_json(20, 20);
  EXPECT_NEAR(get_double(twenty, "at_least"), 0.839, 0.001);  // Wilson, as in the textbooks
  EXPECT_EQ(get_double(twenty, "at_most"), 1);
  EXPECT_NEAR(get_double(share_json(0, 300), "at_most"), 0.0126, 0.0001);
}

}  // namespace
}  // namespace showcaller::sim
