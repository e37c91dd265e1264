// SPDX-License-Identifier: Apache-2.0
// Freezes and stopped lines, and the law above them: what leads to safety is never refused.
#include "policy/freezes.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/policy/policy_world.h"

namespace showcaller {
namespace {

FreezeSpec christmas() {
  return {"christmas", kNoon, kNoon + hours(48), {}, {}, "few people are at work"};
}

TEST(Freezes, BeginAndEndByThemselves) {
  World world;
  add_policy(&world, "house", {.freezes = {christmas()}});
  const EventState& raid = add_event(&world, {});
  EXPECT_FALSE(frozen(world, raid, kNoon - Duration(1)));
  EXPECT_EQ(frozen(world, raid, kNoon),
            "winter-raid is frozen until 2026-12-20T12:00:00Z by 'christmas' of policy 'house': "
            "few people are at "
            "work; wait, or have an exception for it applied");
  EXPECT_TRUE(frozen(world, raid, kNoon + hours(48) - Duration(1)));
  EXPECT_FALSE(frozen(world, raid, kNoon + hours(48)));
}

TEST(Freezes, HaveAScope) {
  World world;
  FreezeSpec freeze = christmas();
  freeze.owners = {"team-raids"};
  freeze.except_events = {"winter-gala"};
  add_policy(&world, "house", {.freezes = {freeze}});
  EXPECT_TRUE(frozen(world, add_event(&world, {}), kNoon));
  EXPECT_FALSE(frozen(world, add_event(&world, {.name = "winter-gala"}), kNoon));
  EXPECT_FALSE(frozen(world, add_event(&world, {.name = "sale", .owner = "team-shop"}), kNoon));
}

TEST(Freezes, ExceptionsExpire) {
  World world;
  PolicySpec policy{.freezes = {christmas()}};
  policy.exceptions = {{"hotfix", "christmas", "winter-raid", "a security fix", kNoon + hours(2)}};
  add_policy(&world, "house", policy);
  const EventState& raid = add_event(&world, {});
  EXPECT_FALSE(frozen(world, raid, kNoon));
  ASSERT_EQ(freeze_notes(world, raid, kNoon).size(), 1u);
  EXPECT_TRUE(frozen(world, raid, kNoon + hours(2)));
}

TEST(Freezes, NotesAreTheRestOfWhatPoliciesSayToo) {
  World world;
  PolicySpec policy{.approvals = {{.name = "second", .count = 1}},
                    .freezes = {christmas()},
                    .quotas = {{"few", 1, 0}},
                    .audit_only = true};
  add_policy(&world, "house", policy);
  add_event(&world, {.name = "sale", .phase = Phase::Live});
  const auto notes = policy_notes(world, add_event(&world, {}), kNoon);
  ASSERT_EQ(notes.size(), 3u);
  for (const std::string& note : notes) EXPECT_TRUE(note.starts_with("audit mode, ")) << note;
}

TEST(Freezes, AuditModeOnlyNotes) {
  World world;
  add_policy(&world, "house", {.freezes = {christmas()}, .audit_only = true});
  const EventState& raid = add_event(&world, {});
  EXPECT_FALSE(frozen(world, raid, kNoon));
  ASSERT_EQ(freeze_notes(world, raid, kNoon).size(), 1u);
  EXPECT_TRUE(freeze_notes(world, raid, kNoon)[0].starts_with(
      "audit mode, nothing is refused: winter-raid is frozen"));
}

TEST(Lines, StopByScope) {
  struct Row {
    std::string scope;
    bool raid, sale;
  };
  for (const Row& row : {Row{"", true, true}, Row{"owner/team-raids", true, false},
                         Row{"owner/team-shop", false, true}, Row{"fleet/raid", true, true},
                         Row{"fleet/arena", false, false}, Row{"event/winter-raid", true, false},
                         Row{"event/winter", false, false}}) {
    World world;
    world.lines[row.scope] = {"ann", "players crash", kNoon};
    const EventState raid = add_event(&world, {});
    const EventState sale = add_event(&world, {.name = "sale", .owner = "team-shop"});
    EXPECT_EQ(line_stopped(world, raid).has_value(), row.raid) << row.scope;
    EXPECT_EQ(line_stopped(world, sale).has_value(), row.sale) << row.scope;
  }
  World world;
  world.lines["fleet/raid"] = {"ann", "players crash", kNoon};
  EXPECT_EQ(line_stopped(world, add_event(&world, {})),
            "the line of fleet/raid was stopped by 'ann' at 2026-12-18T12:00:00Z: players crash; "
            "`showcaller resume-the-line fleet/raid` when it is safe");
}

TEST(Lines, ScopesAreChecked) {
  for (const char* good : {"", "owner/a", "fleet/raid", "event/winter-raid"})
    EXPECT_TRUE(check_line_scope(good));
  for (const char* bad : {"raid", "owner/", "region/eu", "/"})
    EXPECT_FALSE(check_line_scope(bad)) << bad;
}

TEST(Permit, OnlyMovesTowardExposureAreRefused) {
  World world;
  add_policy(&world, "house", {.freezes = {christmas()}});
  add_event(&world, {.phase = Phase::RollingOut});
  add_event(&world, {.name = "draft", .phase = Phase::Draft});
  const auto on = [&](EventVerb verb, std::int64_t pace = 0) {
    return permit(world, EventCommand{"winter-raid", verb, pace, {}}, kNoon).has_value();
  };
  EXPECT_FALSE(on(EventVerb::Promote));
  EXPECT_FALSE(on(EventVerb::Resume));
  EXPECT_FALSE(on(EventVerb::Undivert));
  EXPECT_FALSE(on(EventVerb::Pace, 0)) << "lifting a pace lets more players in";
  EXPECT_TRUE(on(EventVerb::Pace, 100));
  EXPECT_TRUE(on(EventVerb::Retire));
  auto revised = std::make_shared<Manifest>(*event_manifest({}));
  revised->hash = to_hex(sha256("another"));
  EXPECT_EQ(permit(world, ApplyCommand{{revised}}, kNoon).error().code, ErrorCode::Conflict);
  EXPECT_TRUE(permit(world, ApplyCommand{{world.event("winter-raid")->manifest}}, kNoon))
      << "what is in force may be applied again";
  EXPECT_TRUE(permit(world, ApplyCommand{{event_manifest({.name = "draft"})}}, kNoon))
      << "a draft waits";
  EXPECT_TRUE(permit(world, ApplyCommand{{event_manifest({.name = "new"})}}, kNoon));
  EXPECT_TRUE(
      permit(world, EventCommand{"winter-raid", EventVerb::Promote, 0, {}}, kNoon + hours(48)));
}

TEST(Permit, NothingGrowsWhileARevisionWaitsForItsApprovals) {
  World world;
  add_policy(&world, "house", {.approvals = {{.name = "second", .count = 1}}});
  EventState& raid = add_event(&world, {.phase = Phase::RollingOut});
  auto revised = std::make_shared<Manifest>(*raid.manifest);
  revised->hash = to_hex(sha256("another"));
  raid.proposed = {revised, 2, "ann", {}, 0};
  const auto on = [&](EventVerb verb) {
    return permit(world, EventCommand{"winter-raid", verb, 0, {}}, kNoon).has_value();
  };
  EXPECT_FALSE(on(EventVerb::Promote));
  EXPECT_FALSE(on(EventVerb::Resume));
  EXPECT_FALSE(on(EventVerb::Undivert));
  EXPECT_TRUE(on(EventVerb::Hold));
  EXPECT_TRUE(on(EventVerb::Rollback));
  EXPECT_TRUE(
      exposure_blocked(world, raid, kNoon)
          ->starts_with("r2 of winter-raid waits beside r1 for its approvals: rule 'second'"));
  raid.approvals.push_back({revised->hash, "bo", {"operator"}, kNoon, kNoon + hours(1)});
  EXPECT_TRUE(on(EventVerb::Promote));
}

// Any world: frozen or not, lines stopped or not, approvals missing or not.
World any_world() {
  World world;
  PolicySpec policy;
  policy.approvals = {{.name = "never-met", .count = 100}};
  policy.audit_only = *rc::gen::arbitrary<bool>();
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    FreezeSpec freeze = christmas();
    freeze.from -= hours(*rc::gen::inRange(0, 100));
    freeze.to += hours(*rc::gen::inRange(-100, 100));
    if (*rc::gen::arbitrary<bool>()) freeze.owners = {"team-raids"};
    policy.freezes.push_back(freeze);
  }
  add_policy(&world, "house", policy);
  for (const char* scope : {"", "owner/team-raids", "fleet/raid", "event/winter-raid"}) {
    if (*rc::gen::arbitrary<bool>()) world.lines[scope] = {"ann", "", kNoon};
  }
  add_event(&world, {.phase = Phase(*rc::gen::inRange(0, kPhases)),
                     .irreversible = *rc::gen::arbitrary<bool>()});
  return world;
}

CommandBody any_command() {
  switch (*rc::gen::inRange(0, 8)) {
    case 7:
      return FeatureCommand{*rc::gen::arbitrary<bool>(), "matchmaking", "leaderboards"};
    case 6:
      return AlertCommand{"a1", AlertVerb::Acknowledge};
    case 5:
      return UnsilenceCommand{"s1"};
    case 4:
      return FlagCommand{*rc::gen::arbitrary<bool>(), "raid-entrance"};
    case 0:
      return LineCommand{*rc::gen::arbitrary<bool>(), "fleet/raid"};
    case 1:
      return QuarantineCommand{
          *rc::gen::arbitrary<bool>(), QuarantineScope::Build, "raid", "2.4.0", {}};
    case 2:
      return RevokeTokenCommand{"t1"};
    default:
      return EventCommand{
          "winter-raid", EventVerb(*rc::gen::inRange(0, 10)), *rc::gen::inRange(0, 2) * 100, {}};
  }
}

TEST(Permit, AFeatureComesBackOnlyWhereThingsMayGrow) {
  World world;
  world.lines[""] = {"ann", "", kNoon};
  EXPECT_TRUE(permit(world, FeatureCommand{false, "matchmaking", "leaderboards"}, kNoon));
  EXPECT_FALSE(permit(world, FeatureCommand{true, "matchmaking", "leaderboards"}, kNoon));
}

TEST(Permit, SafetyNeverWaits) {
  EXPECT_TRUE(rc::check("a move toward safety is permitted in every world", [] {
    const World world = any_world();
    const CommandBody command = any_command();
    RC_PRE(is_toward_safety(command));
    RC_ASSERT(permit(world, command, kNoon + hours(*rc::gen::inRange(-200, 200))).has_value());
  }));
}

TEST(Permit, ExposureAlwaysAsks) {
  EXPECT_TRUE(rc::check("a promotion is permitted only when nothing blocks exposure", [] {
    const World world = any_world();
    const Instant now = kNoon + hours(*rc::gen::inRange(-200, 200));
    const bool blocked = exposure_blocked(world, *world.event("winter-raid"), now).has_value();
    RC_ASSERT(
        permit(world, EventCommand{"winter-raid", EventVerb::Promote, 0, {}}, now).has_value() ==
        !blocked);
  }));
}

}  // namespace
}  // namespace showcaller
