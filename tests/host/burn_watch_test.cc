// SPDX-License-Identifier: Apache-2.0
// Objectives of services: what is counted, of whom, and what a restart remembers.
#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kWatchedHouse = R"(apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: join.latency, owner: team-raids }
spec: { type: quantile, better: lower, unit: ms }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: team-raids }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [raid] }, { version: 1.1.0, command: [raid] } ]
  capacity: { min: 20, max: 400, buffer: 20, players_per_session: 4 }
  session: { length_max: 1m }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: matches, owner: team-raids }
spec:
  slos:
    - { name: stays-up, metric: session.crashed, objective: "99%" }
    - { name: joins-fast, metric: join.latency, at_most: 250, objective: "99%" }
)";
constexpr const char* kWatchedEvent = R"(apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: team-raids }
spec:
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
  rollout: { stages: [ { name: half, exposure: 50%, bake: 1h, gated: false } ] }
)";

class BurnWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(theatre_.apply("house.yaml", kWatchedHouse));
    theatre_.traffic.sessions_per_s = 5;
    theatre_.traffic.reporting = {{"join.latency", "1.0.0", 0, 100, Trust::Server},
                                  {"join.latency", "1.1.0", 0, 100, Trust::Server}};
  }
  ObjectiveStanding standing(const std::string& slo, const std::string& event = "") {
    for (const ObjectiveStanding& each : theatre_.host().objectives())
      if (each.slo.name == slo && each.event == event) return each;
    ADD_FAILURE() << "nobody watches " << slo << " of '" << event << "'";
    return {};
  }

  Theatre theatre_;
};

TEST_F(BurnWatchTest, CountsTheSessionsOfEverybodyAndOfAnEventsPlayersApart) {
  theatre_.advance(minutes(3));
  ASSERT_TRUE(theatre_.apply("gala.yaml", kWatchedEvent));
  theatre_.traffic.crash_share["1.1.0"] = 0.8;
  theatre_.advance(minutes(9));
  const ObjectiveStanding all = standing("stays-up"), gala = standing("stays-up", "gala");
  EXPECT_GT(all.window.n, gala.window.n);
  EXPECT_GT(gala.window.n, 200);
  EXPECT_EQ(all.window.bad, gala.window.bad);  // The base is sound.
  EXPECT_NEAR(double(gala.window.bad) / double(gala.window.n), 0.8, 0.1);
  EXPECT_GT(all.reading.players_at_risk, gala.reading.players_at_risk);
  EXPECT_GT(gala.reading.players_at_risk, 40);
  // One cause: the event's players, and everybody among whom they are.
  EXPECT_EQ(theatre_.world()->alerts.size(), 1u);
  theatre_.world()->alerts.each([](const std::string&, const Alert& alert) {
    EXPECT_EQ(alert.members.size(), 2u);
    EXPECT_EQ(alert.root, "LiveEvent/gala");
  });
}

TEST_F(BurnWatchTest, WhatTakesTooLongIsBad) {
  theatre_.advance(minutes(5));
  EXPECT_LT(double(standing("joins-fast").window.bad),
            0.2 * double(standing("joins-fast").window.n));
  theatre_.traffic.reporting[0].median_ms = 900;
  theatre_.advance(minutes(10));
  EXPECT_GT(double(standing("joins-fast").window.bad),
            0.5 * double(standing("joins-fast").window.n));
}

TEST_F(BurnWatchTest, ARestartForgetsAtMostTheLastMinutes) {
  theatre_.traffic.crash_share["1.0.0"] = 0.2;
  theatre_.advance(minutes(21));
  const BadCounts before = standing("stays-up").window;
  theatre_.restart(minutes(1));
  theatre_.advance(seconds(11));
  const BadCounts after = standing("stays-up").window;
  EXPECT_GE(after.n, before.n * 3 / 4);
  EXPECT_GE(after.bad, before.bad / 2);
  EXPECT_LE(after.bad, before.bad + 50);
  EXPECT_EQ(theatre_.world()->alerts.size(), 1u);
  EXPECT_EQ(theatre_.world()->past_alerts.size(), 0u);
}

}  // namespace
}  // namespace showcaller::test
