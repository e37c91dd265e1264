// SPDX-License-Identifier: Apache-2.0
// What opens an incident, what joins it and what ends it: the table of docs/incidents.md.
#include "engine/incident_book.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

const Instant kNoon = parse_instant("2026-12-01T12:00:00Z").value();

class Incidents : public testing::Test {
 protected:
  // Of the engine, so many minutes after noon; the cause is the record that it follows from.
  std::uint64_t note(std::int64_t minute, Payload payload, std::uint64_t cause = 0,
                     std::string actor = "engine") {
    Record record;
    record.seq = ++seq_;
    record.time = kNoon + minutes(minute);
    record.actor = std::move(actor);
    record.cause = cause;
    record.payload = std::move(payload);
    book_.note(record);
    return record.seq;
  }
  void rolls_out(std::int64_t minute) {
    note(minute,
         EventRevised{.event = "gala",
                      .revision = 1,
                      .document = parse_json(R"({"metadata":{"owner":"ops"},"spec":{"changes":
          [{"build":{"fleet":"raid","version":"2"}}]}})")
                                      ->as_object()});
    note(minute, StageEntered{.event = "gala", .name = "canary", .exposure_ppm = 100'000});
  }
  static PhaseChanged phase(Phase from, Phase to) {
    return {.event = "gala", .revision = 1, .from = from, .to = to, .reason = "because"};
  }
  const Incident& last() const { return book_.incidents().back(); }

  IncidentBook book_;
  std::uint64_t seq_ = 0;
};

TEST_F(Incidents, AHoldThatBecomesARollbackIsOne) {
  rolls_out(0);
  note(5, VerdictChanged{.event = "gala", .gate = "crashes", .verdict = VerdictName::Fail});
  const auto held = note(6, HoldSet{.event = "gala", .by = HoldCause::Gate, .reason = "look"});
  EXPECT_EQ(last().kind, IncidentKind::Hold);
  note(6, AlertOpened{.subject = "LiveEvent/gala", .team = "ops", .text = "gala is held"}, held);
  note(9, phase(Phase::RollingOut, Phase::RollingBack));
  note(10, phase(Phase::RollingBack, Phase::RollbackStuck));
  EXPECT_EQ(last().state, IncidentState::Stuck);
  note(11, phase(Phase::RollbackStuck, Phase::RollingBack), 0, "ann");
  EXPECT_EQ(last().state, IncidentState::Open);
  note(12, phase(Phase::RollingBack, Phase::RolledBack));
  ASSERT_EQ(book_.incidents().size(), 1u);
  EXPECT_EQ(last().id, held);
  EXPECT_EQ(last().kind, IncidentKind::Rollback);
  EXPECT_EQ(last().state, IncidentState::Over);
  EXPECT_EQ(last().cause, "gate crashes");
  EXPECT_EQ(last().team, "ops");
  EXPECT_EQ(last().began, kNoon);
  EXPECT_EQ(last().opened - last().began, minutes(6));
  EXPECT_EQ(last().ended - last().opened, minutes(6));
  EXPECT_EQ(book_.incidents().back().lines.size(), 6u);
}

TEST_F(Incidents, AnAlertOfWhatNothingElseTellsIsOneUntilItIsResolved) {
  const auto opened = note(0, AlertOpened{.subject = "Service/join",
                                          .cause = AlertCause::Burn,
                                          .detail = "join-success",
                                          .team = "ops",
                                          .text = "players cannot join",

                                          .runbook = "wiki/join",
                                          .next_steps = {"look"}});
  EXPECT_EQ(last().kind, IncidentKind::Alert);
  EXPECT_EQ(last().cause, "burn: join-success");
  EXPECT_EQ(last().runbook, "wiki/join");
  const std::string id = alert_id(opened, "");
  EXPECT_EQ(last().alert, id);
  note(3, AlertChanged{.id = id, .move = AlertMove::Acknowledged}, 0, "ann");
  EXPECT_EQ(last().state, IncidentState::Open);
  note(7, AlertChanged{.id = id, .move = AlertMove::Resolved});
  EXPECT_EQ(last().state, IncidentState::Over);
  EXPECT_EQ(last().ended - last().opened, minutes(7));
}

// A rollback by hand was said to be caused by the glass that somebody had broken before.
TEST_F(Incidents, WhatBecomesOfAnAlertHasACauseOfItsOwn) {
  rolls_out(0);
  note(5, AlertOpened{.subject = "LiveEvent/gala", .cause = AlertCause::BreakGlass, .text = "a"});
  note(6, phase(Phase::RollingOut, Phase::RollingBack), 0, "ann");
  ASSERT_EQ(book_.incidents().size(), 1u);
  EXPECT_EQ(last().kind, IncidentKind::Rollback);
  EXPECT_EQ(last().cause, "ann: because");
}

TEST_F(Incidents, AnAlertThatAnotherAbsorbsIsOverWithIt) {
  const auto first = note(0, AlertOpened{.subject = "Service/join", .text = "a"});
  note(2, AlertOpened{.subject = "Fleet/raid", .text = "b", .absorbs = {alert_id(first, "")}});
  EXPECT_EQ(book_.find(first)->state, IncidentState::Over);
  EXPECT_EQ(last().state, IncidentState::Open);
}

// A region of one name was released with the wrong fleet's.
TEST_F(Incidents, QuarantinesOfTwoFleetsAreTwo) {
  const auto raid = note(0, QuarantineSet{QuarantineScope::Region, "raid", "eu", {}, "lost"});
  const auto arena = note(1, QuarantineSet{QuarantineScope::Region, "arena", "eu", {}, "lost"});
  note(2, QuarantineLifted{QuarantineScope::Region, "raid", "eu", ""});
  EXPECT_EQ(book_.find(raid)->state, IncidentState::Over);
  EXPECT_EQ(book_.find(arena)->state, IncidentState::Open);
}

TEST_F(Incidents, AQuarantineBeganWithItsFirstFailureAndMayEndByItself) {
  for (int i = 0; i < 3; ++i) {
    const std::string id = "raid-" + std::to_string(i);
    note(20 * i, InstanceRequested{"raid", id, "2", "eu", "h"});
    note(20 * i, InstanceMoved{"raid", id, InstancePhase::Gone, "", 1, {}});
  }
  note(45, QuarantineSet{QuarantineScope::Build, "raid", "2", kNoon + minutes(60), ""});
  EXPECT_EQ(last().began, kNoon + minutes(40));  // Those before are too far apart.
  EXPECT_EQ(last().state_at(kNoon + minutes(59)), IncidentState::Open);
  EXPECT_EQ(last().state_at(kNoon + minutes(60)), IncidentState::Over);
  EXPECT_EQ(last().ended_at(kNoon + minutes(70)), kNoon + minutes(60));
}

// A hold before the first stage was said to have harmed since the revision before.
TEST_F(Incidents, ARevisionBeforeItsFirstStageHasHarmedNobody) {
  rolls_out(0);
  note(5, VerdictChanged{.event = "gala", .gate = "crashes", .verdict = VerdictName::Fail});
  note(6, phase(Phase::RollingOut, Phase::RollingBack));
  note(7, phase(Phase::RollingBack, Phase::RolledBack));
  note(60, EventRevised{.event = "gala", .revision = 2, .document = {}});
  note(60, phase(Phase::Draft, Phase::Validated));
  note(90, HoldSet{.event = "gala", .by = HoldCause::Readiness, .reason = "not ready in 1h"});
  EXPECT_EQ(last().began, last().opened);
  EXPECT_EQ(last().cause, "not ready in 1h");
  EXPECT_EQ(last().revision, 2);
  EXPECT_EQ(book_.similar_to(last(), 10).size(), 1u);
}

TEST_F(Incidents, WhatAPersonHoldsIsNone) {
  rolls_out(0);
  note(1, HoldSet{.event = "gala", .by = HoldCause::Operator, .reason = "lunch"}, 0, "ann");
  EXPECT_TRUE(book_.incidents().empty());
}

}  // namespace
}  // namespace showcaller
