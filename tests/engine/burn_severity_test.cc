// SPDX-License-Identifier: Apache-2.0
// What weighs when a budget burns: players at risk, an event's risk and phase, and how many were
// harmed.
#include "engine/burn_severity.h"

#include <cmath>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

SloSpec good_sessions() {
  SloSpec slo;
  slo.name = "good";
  slo.objective = 0.999;
  return slo;
}

BurnReading reading_with(double evidence, double needed, std::int64_t n, std::int64_t bad) {
  BurnReading reading;
  reading.service = "matches";
  reading.slo = "good";
  reading.seen = true;
  reading.needed = needed;
  reading.proof.evidence = evidence;
  reading.proof.n = n;
  reading.proof.bad = bad;
  return reading;
}

// Shares add up to one, and so do the pages without cause that each may bring.
TEST(BurnSeverity, WhatIsSharedOutIsTheSameHoweverManyObjectivesThereAre) {
  const auto pages = [](double share) { return std::exp(-evidence_needed(share)); };
  EXPECT_NEAR(pages(1), pages(0.7) + pages(0.2) + pages(0.1), 1e-12);
}

TEST(BurnSeverity, WhatHarmsManyNeedsLessEvidence) {
  const World world;
  const double many = stake_of(world, "matches", "", 9'000);
  const double few = stake_of(world, "shop", "", 90);
  EXPECT_LT(evidence_needed(many / (many + few)), evidence_needed(few / (many + few)) - 4);
}

World world_with_event(Risk risk, Phase phase) {
  World world;
  auto manifest = std::make_shared<Manifest>();
  manifest->name = "gala";
  LiveEventSpec spec;
  spec.risk = risk;
  manifest->spec = std::move(spec);
  EventState event;
  event.manifest = std::move(manifest);
  event.phase = phase;
  world.events["gala"] = std::move(event);
  return world;
}

TEST(BurnSeverity, AnEventWeighsByItsRiskAndItsPhase) {
  const auto stake = [](Risk risk, Phase phase) {
    return stake_of(world_with_event(risk, phase), "matches", "gala", 99);
  };
  EXPECT_EQ(stake(Risk::High, Phase::RollingOut), 200);
  EXPECT_EQ(stake(Risk::Normal, Phase::Live), 100);
  EXPECT_EQ(stake(Risk::Normal, Phase::Settling), 50);
  EXPECT_EQ(stake(Risk::Low, Phase::Live), 50);
}

TEST(BurnSeverity, EvidenceIsAPageOnceEnoughAreHarmed) {
  const World world;
  const SloSpec slo = good_sessions();
  EXPECT_FALSE(burn_severity(world, slo, reading_with(13.9, 14, 1'000, 50)));
  const auto page = burn_severity(world, slo, reading_with(14, 14, 1'000, 50));
  ASSERT_TRUE(page);
  EXPECT_FALSE(page->rule);
  EXPECT_EQ(page->severity, AlertSeverity::Page);
  EXPECT_FALSE(burn_severity(world, slo, reading_with(14, 14, 1'000, 8)));
  EXPECT_FALSE(burn_severity(world, slo, reading_with(14, 0, 1'000, 50))) << "nobody asks";
}

TEST(BurnSeverity, ItIsOverOnceCalmIsProven) {
  const World world;
  const SloSpec slo = good_sessions();
  BurnReading reading = reading_with(3, 14, 1'000, 2);
  EXPECT_FALSE(has_eased(world, slo, reading, AlertSeverity::Page));
  reading.proof.calm = kCalmEnough;
  EXPECT_TRUE(has_eased(world, slo, reading, AlertSeverity::Page));
  reading.seen = false;
  EXPECT_FALSE(has_eased(world, slo, reading, AlertSeverity::Page)) << "silence is no calm";
}

TEST(BurnSeverity, ABoundLeavesRoomAboveIt) {
  SloSpec slo = good_sessions();
  EXPECT_NEAR(page_bound(slo), 0.002, 1e-12);
  slo.objective = 0.4;
  EXPECT_NEAR(page_bound(slo), 0.8, 1e-12);
  slo.page_above = 0;
  EXPECT_EQ(page_bound(slo), 0);
}

}  // namespace
}  // namespace showcaller
