// SPDX-License-Identifier: Apache-2.0
// What becomes of reports and of what drivers show: each session and each batch counts once, in its
// arm and group; who is trusted more outranks who is trusted less; nothing that a sender can do
// grows without limit.
#include "flow/telemetry_intake.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

const std::string kStage = "winter/r1/v3";
const Instant kIntakeNow = instant_ms(1'800'000'000'000);

InstanceSessions showing(std::string id, std::vector<std::string> sessions, Arm arm,
                         bool counted = true) {
  return {.id = std::move(id),
          .build = arm == Arm::Canary ? "1.1.0" : "1.0.0",
          .died = false,
          .sessions = std::move(sessions),
          .arms = arms_to_text(
              {{.event = "winter", .revision = 1, .visit = 3, .arm = arm, .counted = counted}})};
}

ReportedDelta errors_on(std::string instance, std::int64_t n, std::int64_t x) {
  return {.metric = "session.error", .instance = std::move(instance), .n = n, .x = x};
}

ReportedDelta said_by(std::string unit, std::int64_t n, std::int64_t x) {
  return {.metric = "join.failed",
          .event = "winter",
          .arm = Arm::Canary,
          .unit = std::move(unit),
          .n = n,
          .x = x};
}

const MetricCounts* find(const StageTick& tick, const std::string& metric, const GroupKey& key) {
  for (const auto& [group, counts] : tick.metrics.at(metric)) {
    if (group == key) return &counts;
  }
  return nullptr;
}

MetricCounts total(const StageTick& tick, const std::string& metric, Arm arm) {
  MetricCounts sum;
  const auto found = tick.metrics.find(metric);
  if (found == tick.metrics.end()) return sum;
  for (const auto& [group, delta] : found->second) {
    if (group.arm == arm) sum.n += delta.n, sum.x += delta.x;
  }
  return sum;
}

class TelemetryIntakeTest : public testing::Test {
 protected:
  TelemetryIntakeTest() {
    intake_.watch({kStage});
    intake_.observe("raid", {}, now_);
  }
  void observe(std::vector<InstanceSessions> instances) {
    intake_.observe("raid", instances, now_);
  }
  Result<ReportReceipt> report(std::vector<ReportedDelta> deltas, Trust trust = Trust::Server,
                               std::string source = "host-1") {
    return intake_.report({"token", std::move(source), ++sequence_, trust, std::move(deltas)},
                          now_);
  }
  StageTick tick() { return intake_.take_tick(kStage); }

  TelemetryIntake intake_;
  std::uint64_t sequence_ = 0;
  Instant now_ = kIntakeNow;
};

TEST_F(TelemetryIntakeTest, ASessionIsAnExposureOnceWhenItEndsHoweverOftenItIsSeen) {
  for (int i = 0; i < 3; ++i) {
    observe({showing("c1", {"s1"}, Arm::Canary), showing("b1", {"s2", "s3"}, Arm::Baseline)});
  }
  EXPECT_TRUE(tick().metrics.empty());
  for (int i = 0; i < 3; ++i)
    observe({showing("c1", {}, Arm::Canary), showing("b1", {"s3"}, Arm::Baseline)});
  const StageTick ended = tick();
  EXPECT_EQ(total(ended, "session.crashed", Arm::Canary).n, 1);
  EXPECT_EQ(total(ended, "session.crashed", Arm::Baseline).n, 1);
  EXPECT_EQ(total(ended, "session.crashed", Arm::Canary).x, 0);
  EXPECT_EQ(ended.trust.at("session.crashed"), Trust::Server);
  EXPECT_TRUE(find(ended, "session.crashed", {Arm::Canary, "c1", ""}));
}

TEST_F(TelemetryIntakeTest, AnInstanceThatDiesTakesItsOpenSessionsWithIt) {
  observe({showing("c1", {"s1", "s2"}, Arm::Canary), showing("b1", {"s3"}, Arm::Baseline)});
  observe(
      {showing("c1", {"s2"}, Arm::Canary), showing("b1", {"s3"}, Arm::Baseline)});  // s1 ended well
  (void)tick();
  InstanceSessions dead = showing("c1", {"s2"}, Arm::Canary);
  dead.died = true;
  for (int i = 0; i < 3; ++i) observe({dead, showing("b1", {"s3"}, Arm::Baseline)});
  const StageTick after = tick();
  EXPECT_EQ(total(after, "session.crashed", Arm::Canary).x, 1);
  EXPECT_EQ(total(after, "session.crashed", Arm::Canary).n, 1);
  EXPECT_EQ(total(after, "session.crashed", Arm::Baseline).x, 0);
}

TEST_F(TelemetryIntakeTest, AnInstanceThatVanishesIsNoQuietEnd) {
  observe({showing("c1", {"s1"}, Arm::Canary)});
  observe({});
  EXPECT_EQ(total(tick(), "session.crashed", Arm::Canary).x, 1);
  observe({showing("c1", {"s9"}, Arm::Canary)});  // the name again, another session
  observe({showing("c1", {}, Arm::Canary)});
  EXPECT_EQ(total(tick(), "session.crashed", Arm::Canary).n, 1);
}

TEST_F(TelemetryIntakeTest, SessionsFoundAfterARestartAreCountedWhenTheyEnd) {
  TelemetryIntake restarted;
  restarted.watch({kStage});
  const std::vector<InstanceSessions> running{showing("c1", {"s1"}, Arm::Canary)};
  restarted.observe("raid", running, kIntakeNow);
  EXPECT_TRUE(restarted.take_tick(kStage).metrics.empty());
  // They are known: reports of them count, and so does their end.
  ASSERT_TRUE(
      restarted.report({"token", "host-1", 1, Trust::Server, {errors_on("c1", 1, 1)}}, kIntakeNow));
  restarted.observe("raid", {}, kIntakeNow);
  const StageTick tick = restarted.take_tick(kStage);
  EXPECT_EQ(total(tick, "session.error", Arm::Canary).x, 1);
  EXPECT_EQ(total(tick, "session.crashed", Arm::Canary).x, 1);
}

TEST_F(TelemetryIntakeTest, OnlySessionsThatTheStageDrewAreCounted) {
  observe({showing("c1", {"s1"}, Arm::Canary, false)});
  ASSERT_TRUE(report({errors_on("c1", 5, 5)}));
  EXPECT_TRUE(tick().metrics.empty());
}

TEST_F(TelemetryIntakeTest, ReportsBelongToTheArmOfTheirSessionOrPlace) {
  observe({showing("c1", {"s1"}, Arm::Canary), showing("b1", {"s2"}, Arm::Baseline)});
  ReportedDelta by_session{.metric = "session.error", .session = "s2", .n = 1, .x = 1};
  const auto receipt = report({errors_on("c1", 4, 2), by_session, errors_on("nowhere", 9, 9)});
  EXPECT_EQ(receipt->count(DeltaFate::Taken), 2);
  EXPECT_EQ(receipt->count(DeltaFate::NoSession), 1);
  const StageTick now = tick();
  EXPECT_EQ(total(now, "session.error", Arm::Canary).x, 2);
  EXPECT_EQ(total(now, "session.error", Arm::Baseline).x, 1);
  // A report that comes after the match has ended still has its place.
  observe({showing("c1", {}, Arm::Canary), showing("b1", {}, Arm::Baseline)});
  ASSERT_TRUE(report({errors_on("c1", 1, 1)}));
  EXPECT_EQ(total(tick(), "session.error", Arm::Canary).x, 1);
}

TEST_F(TelemetryIntakeTest, ACrashThatTheServerSeesIsNotCountedTwice) {
  observe({showing("c1", {"s1"}, Arm::Canary)});
  ASSERT_TRUE(report({{.metric = "session.crashed", .instance = "c1", .n = 1, .x = 1}}));
  observe({});
  const StageTick now = tick();
  EXPECT_EQ(total(now, "session.crashed", Arm::Canary).n, 1);
  EXPECT_EQ(total(now, "session.crashed", Arm::Canary).x, 1);
}

TEST_F(TelemetryIntakeTest, ABatchCountsOnceInAnyOrder) {
  observe({showing("c1", {"s1"}, Arm::Canary)});
  (void)tick();
  Random random(5);
  std::vector<std::uint64_t> order;
  for (std::uint64_t sequence = 1; sequence <= 60; ++sequence)
    order.insert(order.end(), 3, sequence);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  int repeated = 0;
  for (const std::uint64_t sequence : order) {
    const auto receipt = intake_.report(
        {"token", "host-1", sequence, Trust::Server, {errors_on("c1", 1, 0)}}, kIntakeNow);
    repeated += receipt.value().repeated ? 1 : 0;
  }
  EXPECT_EQ(total(tick(), "session.error", Arm::Canary).n, 60);
  EXPECT_EQ(repeated, 120);
  // Far behind the newest, a batch cannot be told from one that was seen.
  ASSERT_TRUE(intake_.report({"token", "host-1", 1000, Trust::Server, {errors_on("c1", 1, 0)}},
                             kIntakeNow));
  ASSERT_TRUE(
      intake_.report({"token", "host-1", 900, Trust::Server, {errors_on("c1", 1, 0)}}, kIntakeNow));
  ASSERT_TRUE(
      intake_.report({"token", "host-1", 990, Trust::Server, {errors_on("c1", 1, 0)}}, kIntakeNow));
  ASSERT_TRUE(intake_.report({"token", "host-2", 1000, Trust::Server, {errors_on("c1", 1, 0)}},
                             kIntakeNow));
  EXPECT_EQ(total(tick(), "session.error", Arm::Canary).n, 3);
}

TEST_F(TelemetryIntakeTest, AServersWordOutranksTheClients) {
  ASSERT_TRUE(report({said_by("ada", 1, 1)}, Trust::Client, "phone"));
  const StageTick alone = tick();
  EXPECT_EQ(alone.trust.at("join.failed"), Trust::Client);
  EXPECT_EQ(total(alone, "join.failed", Arm::Canary).x, 1);
  ASSERT_TRUE(report({said_by("bob", 1, 1)}, Trust::Client, "phone"));
  ASSERT_TRUE(report({said_by("ada", 10, 2)}, Trust::Server));
  const StageTick both = tick();
  EXPECT_EQ(both.trust.at("join.failed"), Trust::Server);
  EXPECT_EQ(total(both, "join.failed", Arm::Canary).n, 10);
  // Once a server has spoken of a metric, clients do not take its place.
  ASSERT_TRUE(report({said_by("bob", 1, 1)}, Trust::Client, "phone"));
  EXPECT_EQ(total(tick(), "join.failed", Arm::Canary).n, 0);
}

TEST_F(TelemetryIntakeTest, OneClientsWordHasALimitedWeight) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(report({said_by("ada", 1, 1)}, Trust::Client, "phone"));
  ASSERT_TRUE(report({said_by("bob", 1'000'000, 1'000'000)}, Trust::Client, "phone"));
  ASSERT_TRUE(report({said_by("cy", INT64_MAX, 0)}, Trust::Client, "phone"));
  EXPECT_EQ(total(tick(), "join.failed", Arm::Canary).n, IntakeLimits{}.client_n_max);
  ASSERT_TRUE(report({said_by("ada", 1, 1)}, Trust::Client, "phone"));  // the next tick
  EXPECT_EQ(total(tick(), "join.failed", Arm::Canary).n, 1);
}

TEST_F(TelemetryIntakeTest, AClientThatInventsUnitsIsHeldToWhatItsTokenMayWeigh) {
  std::int64_t refused = 0;
  for (int i = 0; i < 6'000; ++i) {
    const auto receipt = report({said_by(fmt::format("p{}", i), 1, 1)}, Trust::Client, "phone");
    refused += receipt->count(DeltaFate::ClientLimit);
  }
  EXPECT_EQ(refused, 6'000 - IntakeLimits{}.client_token_n_max);
  EXPECT_EQ(total(tick(), "join.failed", Arm::Canary).n, IntakeLimits{}.client_token_n_max);
}

TEST_F(TelemetryIntakeTest, AServersWordOutranksTheProbes) {
  ASSERT_TRUE(report({said_by("probe", 5, 5)}, Trust::Probe, "probe"));
  ASSERT_TRUE(report({said_by("bob", 1, 1)}, Trust::Client, "phone"));
  const StageTick alone = tick();
  EXPECT_EQ(alone.trust.at("join.failed"), Trust::Probe);
  EXPECT_EQ(total(alone, "join.failed", Arm::Canary).n, 5);
  ASSERT_TRUE(report({said_by("probe", 5, 5)}, Trust::Probe, "probe"));
  ASSERT_TRUE(report({said_by("ada", 10, 2)}, Trust::Server));
  EXPECT_EQ(total(tick(), "join.failed", Arm::Canary).n, 10);
}

// A probe has no session and no arm: it is of the game as it is now.
TEST_F(TelemetryIntakeTest, WhatProbesMeasureCountsForTheCanaryOfEveryJudgedStage) {
  const ReportedDelta failed{.metric = "probe.join", .stratum = "eu", .n = 1, .x = 1};
  intake_.watch({kStage, "summer/r2/v1"});
  EXPECT_EQ(report({failed}, Trust::Server)->count(DeltaFate::Taken), 1);
  const StageTick winter = tick();
  EXPECT_EQ(total(winter, "probe.join", Arm::Canary).x, 1);
  EXPECT_EQ(total(winter, "probe.join", Arm::Baseline).n, 0);
  EXPECT_EQ(winter.trust.at("probe.join"), Trust::Probe) << "whoever says so";
  EXPECT_EQ(total(intake_.take_tick("summer/r2/v1"), "probe.join", Arm::Canary).x, 1);
  intake_.watch({});
  intake_.watch_felt({"probe.join"});
  EXPECT_EQ(report({failed}, Trust::Probe)->count(DeltaFate::Taken), 1) << "objectives need it";
  const auto felt = intake_.take_felt();
  ASSERT_EQ(felt.size(), 1u);
  EXPECT_EQ(felt[0].source, BaselineSource{}) << "of no fleet and no event";
}

TEST_F(TelemetryIntakeTest, AClientIsNoProbe) {
  const ReportedDelta failed{.metric = "probe.join", .stratum = "eu", .n = 1, .x = 1};
  EXPECT_EQ(report({failed}, Trust::Client)->count(DeltaFate::NoSession), 1);
  EXPECT_EQ(total(tick(), "probe.join", Arm::Canary).n, 0);
}

TEST_F(TelemetryIntakeTest, StrataAreKeptApartUpToTheirLimit) {
  for (int i = 0; i < 100; ++i) {
    ReportedDelta delta = said_by("ada", 1, 0);
    delta.stratum = fmt::format("region-{}", i);
    ASSERT_TRUE(report({delta}));
  }
  const StageTick now = tick();
  EXPECT_EQ(now.metrics.at("join.failed").size(), IntakeLimits{}.strata_max + 1);
  EXPECT_EQ(total(now, "join.failed", Arm::Canary).n, 100);
}

TEST_F(TelemetryIntakeTest, UnitsFallIntoSixtyFourGroups) {
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(report({said_by(fmt::format("p{}", i), 1, 0)}));
  const StageTick now = tick();
  EXPECT_EQ(now.metrics.at("join.failed").size(), 64u);
  for (const auto& [group, delta] : now.metrics.at("join.failed"))
    EXPECT_NEAR(double(delta.n), 3000.0 / 64, 30);
}

TEST_F(TelemetryIntakeTest, HistogramsMergeAndTheBaselineIsLearned) {
  observe({showing("c1", {"s1"}, Arm::Canary), showing("b1", {"s2"}, Arm::Baseline)});
  for (int i = 1; i <= 100; ++i) {
    ExponentialHistogram one;
    one.record(double(i));
    ReportedDelta delta{.metric = "join.latency", .instance = i % 2 ? "c1" : "b1"};
    delta.histogram = one;
    ASSERT_TRUE(report({delta}));
  }
  const StageTick now = tick();
  EXPECT_EQ(find(now, "join.latency", {Arm::Canary, "c1", ""})->histogram->count(), 50u);
  EXPECT_EQ(find(now, "join.latency", {Arm::Baseline, "b1", ""})->histogram->count(), 50u);
  const BaselineSource base{"raid", "1.0.0", ""};
  const auto known = intake_.history().totals({&base, 1}, kIntakeNow);
  EXPECT_EQ(known.at("join.latency").histogram->count(), 50u);  // never of the canary
}

// Whoever sent them to the canary, sessions of a build are what the build is like: when it is live
// it is the next event's baseline.
TEST_F(TelemetryIntakeTest, TheHourBeforeIsKnownByBuildAndByTheWordsOfServersAlone) {
  observe({showing("c1", {"s1"}, Arm::Canary), showing("b1", {"s2"}, Arm::Baseline)});
  ASSERT_TRUE(report({errors_on("c1", 5, 5), errors_on("b1", 7, 1)}));
  ASSERT_TRUE(report({errors_on("b1", 9, 9)}, Trust::Client, "phone"));
  const BaselineSource base{"raid", "1.0.0", ""}, canary{"raid", "1.1.0", ""};
  EXPECT_EQ(intake_.history().totals({&base, 1}, now_).at("session.error").n, 7);
  EXPECT_EQ(intake_.history().totals({&canary, 1}, now_).at("session.error").n, 5);
}

TEST_F(TelemetryIntakeTest, UnitsOfAnEventsBaselineAreItsHistoryByTheirBuckets) {
  ReportedDelta of_baseline = said_by("ada", 4, 1);
  of_baseline.arm = Arm::Baseline;
  ASSERT_TRUE(report({of_baseline, said_by("bob", 9, 9)}));
  const BaselineSource winter{"", "", "winter"};
  const BaselineGroups groups = intake_.history().groups({&winter, 1}, "join.failed", now_);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups.begin()->second.n, 4);
  EXPECT_LT(std::stoi(groups.begin()->first.id), 64);
}

TEST_F(TelemetryIntakeTest, BadAndOversizedBatchesAreRefusedWhole) {
  EXPECT_EQ(intake_.report({"token", "", 1, Trust::Server, {}}, kIntakeNow).error().code,
            ErrorCode::Invalid);
  EXPECT_EQ(intake_.report({"token", "h", 0, Trust::Server, {}}, kIntakeNow).error().code,
            ErrorCode::Invalid);
  EXPECT_EQ(report({said_by("ada", 1, 0), said_by("ada", -1, 0)}).error().code, ErrorCode::Invalid);
  EXPECT_EQ(report(std::vector<ReportedDelta>(10'001, said_by("ada", 1, 0))).error().code,
            ErrorCode::Invalid);
  EXPECT_TRUE(tick().metrics.empty());
}

TEST(TelemetryLimits, PushBackWhenTheTickIsFullAndTakeTheSameBatchLater) {
  TelemetryIntake intake({.counters_max = 10});
  intake.watch({kStage});
  std::vector<ReportedDelta> many;
  for (int i = 0; i < 200; ++i) many.push_back(said_by(fmt::format("p{}", i), 1, 0));
  ASSERT_TRUE(intake.report({"token", "a", 1, Trust::Server, many}, kIntakeNow));
  const auto refused =
      intake.report({"token", "a", 2, Trust::Server, {said_by("x", 1, 0)}}, kIntakeNow);
  EXPECT_EQ(refused.error().code, ErrorCode::Limit);
  (void)intake.take_tick(kStage);
  EXPECT_EQ(intake.counters(), 0u);
  ASSERT_TRUE(intake.report({"token", "a", 2, Trust::Server, {said_by("x", 1, 0)}},
                            kIntakeNow));  // not taken for a repeat
  EXPECT_EQ(total(intake.take_tick(kStage), "join.failed", Arm::Canary).n, 1);
}

TEST(TelemetryLimits, NothingThatASenderCanInventGrowsWithoutLimit) {
  TelemetryIntake intake({.sources_max = 8, .metrics_max = 5, .client_units_max = 10});
  intake.watch({kStage});
  std::int64_t dropped = 0;
  for (int i = 0; i < 1000; ++i) {
    ReportedDelta delta = said_by(fmt::format("unit-{}", i), 1, 0);
    delta.metric = fmt::format("metric-{}", i);
    const auto invented = intake.report(
        {"token", fmt::format("source-{}", i), 1, Trust::Server, {delta}}, kIntakeNow);
    dropped += invented.value().count(DeltaFate::TooManyMetrics);
    delta.metric = "metric-0";
    const auto client = intake.report(
        {"token", "clients", std::uint64_t(i + 1), Trust::Client, {delta}}, kIntakeNow);
    dropped += client.value().count(DeltaFate::ClientLimit);
  }
  EXPECT_EQ(intake.take_tick(kStage).metrics.size(), 5u);
  EXPECT_GT(dropped, 1900);
  // The source that reports all the time is still known, the oldest of the others is not.
  EXPECT_TRUE(
      intake.report({"token", "clients", 1000, Trust::Client, {}}, kIntakeNow).value().repeated);
  EXPECT_FALSE(
      intake.report({"token", "source-1", 1, Trust::Server, {}}, kIntakeNow).value().repeated);
}

TEST(TelemetryLimits, StagesThatAreNoLongerWatchedLeaveNothingBehind) {
  TelemetryIntake intake;
  intake.watch({kStage, "winter/r1/v4"});
  ASSERT_TRUE(intake.report({"token", "a", 1, Trust::Server, {said_by("x", 1, 0)}}, kIntakeNow));
  EXPECT_EQ(intake.counters(), 2u);
  intake.watch({});
  EXPECT_EQ(intake.counters(), 0u);
  const auto late =
      intake.report({"token", "a", 2, Trust::Server, {said_by("x", 1, 0)}}, kIntakeNow);
  EXPECT_EQ(late.value().count(DeltaFate::NoStage), 1);
  EXPECT_TRUE(intake.take_tick(kStage).metrics.empty());
}

}  // namespace
}  // namespace showcaller
