// SPDX-License-Identifier: Apache-2.0
// Drills on a server: what is done to instances, what is told of it, and that every pause ends.
#include "host/drill_runner.h"

#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kDrillHouse = R"(
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: staging, owner: ops, labels: { stage: staging } }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [x] } ]
  regions: [ { name: eu } ]
  capacity: { min: 10, max: 20 }
---
apiVersion: showcaller.dev/v1
kind: Drill
metadata: { name: kills, owner: ops }
spec:
  fleet: staging
  injects: [ { at: 30s, fault: { kind: kill, size: 0.5 } } ]
  expect: [ { that: capacity_restored, within: 1m } ]
---
apiVersion: showcaller.dev/v1
kind: Drill
metadata: { name: pauses, owner: ops }
spec:
  fleet: staging
  injects: [ { fault: { kind: pause, size: 0.2 }, for: 5m } ]
  expect: [ { that: quarantine, within: 4m } ]
---
apiVersion: showcaller.dev/v1
kind: Drill
metadata: { name: slow, owner: ops }
spec:
  fleet: staging
  injects: [ { fault: { kind: net_delay, size: 80, share: 0.4 }, for: 5m } ]
  stop_when: [ { lasts_over: 10m } ]
---
apiVersion: showcaller.dev/v1
kind: Drill
metadata: { name: either, owner: ops }
spec:
  fleet: staging
  injects:
    - { name: lossy, at: 10s, fault: { kind: net_loss }, for: 1m, optional: true }
    - { name: dead, at: 20s, fault: { kind: kill, size: 0.2 } }
  expect:
    - { that: quarantine, within: 1m, after: lossy }
    - { that: capacity_restored, within: 1m, after: dead }
)";

class DrillRunnerTest : public testing::Test {
 protected:
  DrillRunnerTest() {
    const auto applied = theatre_.apply("house.yaml", kDrillHouse);
    EXPECT_TRUE(applied) << applied.error().message;
    theatre_.advance(minutes(2));  // What ends sooner counts as a failed start, and is delayed.
  }
  Result<Receipt> command(const std::string& drill, bool stop = false) {
    return theatre_.command(DrillCommand{stop, drill});
  }
  const DrillRun& run(const std::string& drill) {
    world_ = theatre_.world();
    return *world_->drills.find(drill);
  }
  Theatre theatre_;
  std::shared_ptr<const World> world_;
};

TEST_F(DrillRunnerTest, KillsAtItsTimeAndTellsHowSoonAllServeAgain) {
  ASSERT_TRUE(command("kills"));
  theatre_.advance(seconds(29));
  EXPECT_TRUE(run("kills").strikes.empty());
  theatre_.advance(seconds(30));
  const DrillRun& over = run("kills");
  EXPECT_EQ(over.strikes.at("kill").instances.size(), 5u);
  EXPECT_EQ(over.verdict, "pass");
  EXPECT_EQ(over.reason, "everything has come, or is too late");
  const json::object& inject = over.report.at("injects").at(0).as_object();
  EXPECT_LE(get_double(inject, "detected_after_s"), 2);
  EXPECT_GE(get_double(inject, "recovered_after_s"), 3) << "an instance takes so long to start";
  EXPECT_TRUE(theatre_.errors.empty());
}

TEST_F(DrillRunnerTest, APauseEndsInTime) {
  ASSERT_TRUE(command("pauses"));
  theatre_.advance(seconds(10));
  EXPECT_EQ(theatre_.driver.paused.size(), 2u);
  theatre_.advance(minutes(5));
  EXPECT_TRUE(theatre_.driver.paused.empty());
  theatre_.advance(minutes(8));
  EXPECT_EQ(run("pauses").verdict, "fail") << "nobody was quarantined";
}

TEST_F(DrillRunnerTest, WhoStopsItEndsItsPausesAndGetsTheReport) {
  ASSERT_TRUE(command("pauses"));
  EXPECT_FALSE(command("kills")) << "two drills on a fleet";
  theatre_.advance(seconds(10));
  ASSERT_TRUE(command("pauses", true));
  theatre_.advance(seconds(3));
  EXPECT_TRUE(theatre_.driver.paused.empty());
  EXPECT_EQ(run("pauses").verdict, "stopped");
  EXPECT_TRUE(run("pauses").report.contains("injects"));
  EXPECT_FALSE(command("pauses", true)) << "it is over";
  EXPECT_TRUE(command("kills"));
}

TEST_F(DrillRunnerTest, AfterARestartItIsOverAndNobodyStaysPaused) {
  ASSERT_TRUE(command("pauses"));
  theatre_.advance(seconds(10));
  EXPECT_EQ(theatre_.driver.paused.size(), 2u);
  theatre_.restart(seconds(5));
  theatre_.advance(seconds(5));
  EXPECT_TRUE(theatre_.driver.paused.empty());
  EXPECT_EQ(run("pauses").verdict, "stopped");
  EXPECT_EQ(run("pauses").reason, "the server was started anew in the middle of it");
  EXPECT_TRUE(command("pauses")) << "it may be played again";
  theatre_.advance(seconds(10));
  EXPECT_EQ(theatre_.driver.paused.size(), 2u);
}

TEST_F(DrillRunnerTest, DisturbsTheNetworkOfSomeForSoLong) {
  ASSERT_TRUE(command("slow"));
  theatre_.advance(seconds(10));
  ASSERT_EQ(theatre_.driver.network.size(), 4u);
  EXPECT_EQ(theatre_.driver.network.begin()->second, (NetworkFault{Duration(80), 0}));
  EXPECT_EQ(run("slow").strikes.at("net-delay").fault, "net_delay");
  theatre_.advance(minutes(5));
  EXPECT_TRUE(theatre_.driver.network.empty());
  EXPECT_EQ(run("slow").verdict, "pass");
}

TEST_F(DrillRunnerTest, WhoStopsItHasTheNetworkAsItWas) {
  ASSERT_TRUE(command("slow"));
  theatre_.advance(seconds(10));
  EXPECT_FALSE(theatre_.driver.network.empty());
  ASSERT_TRUE(command("slow", true));
  theatre_.advance(seconds(3));
  EXPECT_TRUE(theatre_.driver.network.empty());
}

TEST_F(DrillRunnerTest, WhatMayBeLeftOutIsAndTheRestIsPlayed) {
  theatre_.driver.has_network = false;
  ASSERT_TRUE(command("either"));
  theatre_.advance(minutes(3));
  const DrillRun& over = run("either");
  EXPECT_EQ(over.verdict, "pass") << to_json_text(over.report);
  EXPECT_TRUE(theatre_.driver.network.empty());
  EXPECT_EQ(get_string(over.report.at("injects").at(0).as_object(), "left_out"),
            "there is no netem; load sch_netem");
  EXPECT_EQ(get_string(over.report.at("expectations").at(0).as_object(), "state"), "left_out");
  EXPECT_EQ(over.report.at("why").at(0).as_string(),
            "lossy was left out: there is no netem; load sch_netem");
}

TEST_F(DrillRunnerTest, ADrillThatCannotBePlayedWholeIsRefusedBeforeItBegins) {
  theatre_.driver.has_network = false;
  Letter letter{Command{DrillCommand{false, "slow"}, {"ann", {"admin"}}, "", {}, "test"}, {}};
  const Status refused = theatre_.host().post(&letter);
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().message,
      "inject 'net-delay' cannot be played here: there is no netem; load sch_netem; or let it "
      "be left out, with `optional: true`");
  Letter either{Command{DrillCommand{false, "either"}, {"ann", {"admin"}}, "", {}, "test"}, {}};
  EXPECT_TRUE(theatre_.host().post(&either));
}

}  // namespace
}  // namespace showcaller::test
