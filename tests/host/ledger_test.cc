// SPDX-License-Identifier: Apache-2.0
// Whoever was exposed is in the ledger, and its seal in the journal, whatever becomes of the
// process and of the revision.
#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kLedgerFleet = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: ops }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [x] }, { version: 1.1.0, command: [x] } ]
  regions: [ { name: eu, zone: UTC } ]
  capacity: { min: 20, max: 100, buffer: 10, canary_min: 4 }
)";

std::string gala(int second) {
  return R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops, labels: { v: "v)" +
         std::to_string(second) + R"(" } }
spec:
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
  rollout: { stages: [ { name: half, exposure: 50%, bake: 1h, gated: false },
                       { name: world, exposure: 100%, bake: 1h, gated: false } ] }
)";
}

class LedgerOfAnEvent : public testing::Test {
 protected:
  LedgerOfAnEvent() {
    EXPECT_TRUE(theatre_.apply("fleet.yaml", kLedgerFleet));
    const auto applied = theatre_.apply("gala.yaml", gala(1));
    EXPECT_TRUE(applied) << applied.error().message;
    theatre_.traffic.sessions_per_s = 2;
    theatre_.advance(seconds(40));
    EXPECT_EQ(event().phase, Phase::RollingOut);
  }
  const EventState& event() { return *theatre_.world()->event("gala"); }
  std::int64_t rows() { return theatre_.host().ledger().seal("gala", 1).value().rows; }
  void end_traffic() {
    theatre_.traffic.sessions_per_s = 0;
    theatre_.advance(seconds(1));
  }

  Theatre theatre_;
};

TEST_F(LedgerOfAnEvent, AnAnswerThatWasGivenIsNotedBeforeAnyPass) {
  end_traffic();
  const std::int64_t before = rows();
  int canary = 0;
  for (int i = 0; i < 40; ++i) {
    AllocationRequest request;
    request.session = "late-" + std::to_string(i);
    request.fleet = "raid";
    request.party = request.session;
    request.players = {{request.session, {}}};
    const auto made = theatre_.host().allocate(request);
    canary += made && made->build == "1.1.0" ? 1 : 0;
  }
  ASSERT_GT(canary, 0);
  theatre_.restart(seconds(1));  // Killed between the answer and the next pass.
  theatre_.advance(seconds(1));
  EXPECT_EQ(rows(), before + canary);
}

TEST_F(LedgerOfAnEvent, IsSealedAlsoByAServerThatExposedNobodyItself) {
  end_traffic();
  ASSERT_GT(rows(), 0);
  theatre_.restart(seconds(1));
  ASSERT_TRUE(theatre_.command(EventCommand{"gala", EventVerb::Rollback}));
  theatre_.advance(seconds(3));
  const LedgerStanding* ledger = event().ledger_of(1);
  ASSERT_NE(ledger, nullptr);
  EXPECT_EQ(ledger->rows, rows());
  EXPECT_GT(ledger->players, 0);
  EXPECT_LT(ledger->players, ledger->rows + 1);
}

TEST_F(LedgerOfAnEvent, OfARevisionThatWasReplacedIsSealedToo) {
  const auto again = theatre_.apply("gala.yaml", gala(2));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(event().revision, 2);
  theatre_.advance(seconds(3));
  ASSERT_NE(event().ledger_of(1), nullptr);
  EXPECT_EQ(event().ledger_of(1)->rows, rows());
  EXPECT_EQ(event().ledger_of(2), nullptr);
}

TEST_F(LedgerOfAnEvent, GoesWhenItsTimeIsOverAndItsSealStays) {
  end_traffic();
  ASSERT_TRUE(theatre_.command(EventCommand{"gala", EventVerb::Rollback}));
  theatre_.advance(seconds(3));
  const LedgerStanding sealed = *event().ledger_of(1);
  theatre_.restart(hours(24 * 179));
  theatre_.advance(seconds(2));
  EXPECT_EQ(rows(), sealed.rows);
  theatre_.restart(hours(24 * 2));
  theatre_.advance(seconds(2));
  EXPECT_EQ(rows(), 0);
  EXPECT_EQ(event().ledger_of(1)->root, sealed.root);
}

constexpr const char* kFlagEvent = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: entrance, owner: ops }
spec:
  state: ENABLED
  variants: { open: true, closed: false }
  defaultVariant: closed
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gates, owner: ops }
spec:
  changes: [ { flag: { key: entrance, to: open } } ]
  rollout: { unit: player, stages: [ { name: half, exposure: 50%, bake: 1h, gated: false },
                                     { name: world, exposure: 100%, bake: 1h, gated: false } ] }
)";

// A relay says whom its answers exposed: by the stage that it was told of, though that is over when
// the line is back.
TEST(LedgerOfFlags, KnowsWhomARelayExposedThoughTheEventWasRolledBackSince) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("gates.yaml", kFlagEvent));
  theatre.advance(seconds(5));
  const auto told = reaches_from_json(reaches_to_json(*theatre.host().flag_reaches()));
  ASSERT_TRUE(told) << told.error().message;
  const Instant then = theatre.host().engine().now();
  ASSERT_TRUE(theatre.command(EventCommand{"gates", EventVerb::Rollback}));
  theatre.advance(minutes(5));
  std::vector<LedgerEntry> exposed;
  for (int i = 0; i < 100; ++i) {
    const json::object who{{"targetingKey", "p" + std::to_string(i)}};
    for (const LedgerEntry& entry : exposures_of(*told, who, "entrance", then))
      exposed.push_back(entry);
    EXPECT_TRUE(exposures_of(*told, who, "another-flag", then).empty());
  }
  ASSERT_GT(exposed.size(), 30u);
  const std::size_t count = exposed.size();
  exposed.push_back(exposed[0]);
  exposed.push_back({.event = "unknown", .revision = 1, .player = "p1"});
  theatre.host().exposed_at_relay(exposed);
  theatre.host().exposed_at_relay(exposed);  // Its answer was lost.
  theatre.advance(seconds(1));
  std::size_t rows = 0;
  ASSERT_TRUE(theatre.host().ledger().read("gates", 1, [&](const LedgerRow& row) {
    EXPECT_EQ(row.at, then);
    ++rows;
    return true;
  }));
  EXPECT_EQ(rows, count);
  const LedgerStanding* sealed = theatre.world()->event("gates")->ledger_of(1);
  ASSERT_NE(sealed, nullptr);
  EXPECT_EQ(sealed->players, std::int64_t(count));
}

// Flags reach players without any session: whoever was answered is in the ledger, once.
TEST(LedgerOfFlags, KnowsWhomAnEvaluationReachedAndWhoReportedIt) {
  Theatre theatre;
  const auto applied = theatre.apply("gates.yaml", kFlagEvent);
  ASSERT_TRUE(applied) << applied.error().message;
  theatre.advance(seconds(5));
  ASSERT_EQ(theatre.world()->event("gates")->phase, Phase::RollingOut);
  for (int again = 0; again < 2; ++again) {
    for (int i = 0; i < 100; ++i)
      theatre.host().evaluated({{"targetingKey", "p" + std::to_string(i)}}, "entrance");
    theatre.host().evaluated({{"targetingKey", "somebody"}}, "another-flag");
    theatre.host().evaluated({}, "entrance");
  }
  Report report{.source = "client", .sequence = 1, .deltas = {}};
  for (const Arm arm : {Arm::Canary, Arm::Baseline}) {
    report.deltas.push_back({.metric = "unit.exposed", .event = "gates", .arm = arm, .n = 1});
    report.deltas.back().unit = arm == Arm::Canary ? "told" : "not told";
  }
  ASSERT_TRUE(theatre.host().report(report));
  theatre.advance(seconds(1));
  std::map<LedgerSource, int> rows;
  ASSERT_TRUE(theatre.host().ledger().read("gates", 1, [&](const LedgerRow& row) {
    ++rows[row.source];
    return true;
  }));
  EXPECT_GT(rows[LedgerSource::Served], 30);
  EXPECT_LT(rows[LedgerSource::Served], 70);
  EXPECT_EQ(rows[LedgerSource::Reported], 1);
}

// A game server evaluates flags in its own process: whom it was given, and the event admits, may
// have been shown the new value, reported or not.
TEST(LedgerOfFlags, KnowsWhomTheEventAdmitsOfThePlayersThatWereGivenAPlace) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("fleet.yaml", kLedgerFleet));
  const auto applied = theatre.apply("gates.yaml", kFlagEvent);
  ASSERT_TRUE(applied) << applied.error().message;
  theatre.advance(seconds(20));
  for (int again = 0; again < 2; ++again) {
    for (int i = 0; i < 10; ++i) {
      AllocationRequest request;
      request.session = fmt::format("match-{}-{}", again, i);
      request.fleet = "raid";
      for (int k = 0; k < 4; ++k)
        request.players.push_back({fmt::format("player-{}", 4 * i + k), {}});
      ASSERT_TRUE(theatre.host().allocate(request));
    }
  }
  theatre.advance(seconds(1));
  std::map<LedgerSource, int> rows;
  ASSERT_TRUE(theatre.host().ledger().read("gates", 1, [&](const LedgerRow& row) {
    ++rows[row.source];
    return true;
  }));
  EXPECT_EQ(rows.size(), 1u);
  EXPECT_GT(rows[LedgerSource::Admitted], 10);  // Half of 40, each once.
  EXPECT_LT(rows[LedgerSource::Admitted], 30);
}

}  // namespace
}  // namespace showcaller::test
