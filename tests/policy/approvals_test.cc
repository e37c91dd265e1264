// SPDX-License-Identifier: Apache-2.0
// Which approvals an event needs: rules by risk, different people, roles, hashes, time, exceptions.
#include "policy/approvals.h"

#include <gtest/gtest.h>

#include "policy/break_glass.h"
#include "tests/policy/policy_world.h"

namespace showcaller {
namespace {

class Approvals : public testing::Test {
 protected:
  void rule(ApprovalRule written) {
    policy_.approvals.push_back(std::move(written));
    put();
  }
  void put() { add_policy(&world_, "house", policy_); }
  EventState& event(const EventSketch& sketch) { return add_event(&world_, sketch); }
  void approve(EventState& event, std::string by, std::vector<std::string> roles = {"operator"}) {
    event.approvals.push_back(
        {event.manifest->hash, std::move(by), std::move(roles), kNoon, kNoon + hours(72)});
  }
  bool complete(const EventState& event, Duration later = {}) {
    return approvals_complete(world_, event, kNoon + later);
  }

  World world_;
  PolicySpec policy_;
};

TEST_F(Approvals, NothingIsAskedWithoutARule) {
  EXPECT_TRUE(complete(event({.risk = Risk::High})));
}

TEST_F(Approvals, RulesApplyByRisk) {
  rule({.name = "two-eyes", .risks = {"high"}, .count = 1});
  EXPECT_TRUE(complete(event({.risk = Risk::Normal})));
  EventState& high = event({.risk = Risk::High});
  EXPECT_FALSE(complete(high));
  const ApprovalNeed need = approvals_needed(world_, high, kNoon);
  ASSERT_EQ(need.missing.size(), 1u);
  EXPECT_EQ(need.missing[0],
            "rule 'two-eyes' of policy 'house' asks for 1 more approval by anybody who may "
            "approve, not by its author "
            "'ann'; they run `showcaller approve winter-raid --hash " +
                high.manifest->hash.substr(0, 12) + "`");
  approve(high, "bo");
  EXPECT_TRUE(complete(high));
}

TEST_F(Approvals, TheAuthorDoesNotCountAndNobodyCountsTwice) {
  rule({.name = "four-eyes", .count = 2});
  EventState& raid = event({});
  approve(raid, "ann");
  approve(raid, "bo");
  approve(raid, "bo");
  EXPECT_FALSE(complete(raid));
  EXPECT_EQ(approvals_needed(world_, raid, kNoon).rules[0].approvers,
            std::vector<std::string>{"bo"});
  approve(raid, "cy");
  EXPECT_TRUE(complete(raid));
}

TEST_F(Approvals, OnlyTheRuleSRolesCount) {
  rule({.name = "security", .count = 1, .roles = {"security"}});
  EventState& raid = event({});
  approve(raid, "bo", {"operator"});
  EXPECT_FALSE(complete(raid));
  approve(raid, "cy", {"viewer", "security"});
  EXPECT_TRUE(complete(raid));
}

TEST_F(Approvals, AreBoundToTheHashThatWasRead) {
  rule({.name = "two-eyes", .count = 1});
  EventState& raid = event({});
  approve(raid, "bo");
  auto changed = std::make_shared<Manifest>(*raid.manifest);
  changed->hash = to_hex(sha256("another"));
  raid.manifest = changed;
  EXPECT_FALSE(complete(raid));

  const Actor cy{"cy", {"operator"}};
  EXPECT_TRUE(may_approve(world_, raid, cy, kNoon));
  EXPECT_TRUE(check_hash_read(raid, changed->hash));
  EXPECT_TRUE(check_hash_read(raid, changed->hash.substr(0, 12)));
  EXPECT_EQ(check_hash_read(raid, changed->hash.substr(0, 11)).error().code, ErrorCode::Conflict);
  EXPECT_EQ(check_hash_read(raid, to_hex(sha256("winter-raid"))).error().code, ErrorCode::Conflict);
}

TEST_F(Approvals, TheAuthorAndTheWrongRoleAreRefused) {
  rule({.name = "security", .count = 1, .roles = {"security"}});
  EventState& raid = event({});
  EXPECT_EQ(may_approve(world_, raid, {"ann", {"security"}}, kNoon).error().code,
            ErrorCode::Forbidden);
  EXPECT_EQ(may_approve(world_, raid, {"bo", {"operator"}}, kNoon).error().code,
            ErrorCode::Forbidden);
  EXPECT_TRUE(may_approve(world_, raid, {"bo", {"security"}}, kNoon));
}

TEST_F(Approvals, Lapse) {
  rule({.name = "quick", .count = 1, .valid_for = hours(1)});
  rule({.name = "slow", .count = 1, .valid_for = hours(100)});
  EventState& raid = event({});
  EXPECT_EQ(approval_until(world_, raid, kNoon), kNoon + hours(100));
  approve(raid, "bo");
  EXPECT_TRUE(complete(raid, hours(1) - Duration(1)));
  EXPECT_FALSE(complete(raid, hours(1)));
  EXPECT_EQ(approvals_needed(world_, raid, kNoon).rules[0].expires, kNoon + hours(1));
  EXPECT_EQ(approvals_needed(world_, raid, kNoon).rules[1].expires, kNoon + hours(72))
      << "its own end is earlier";
}

TEST_F(Approvals, WhatCannotBeUndoneNeedsOneMore) {
  EventState& alone = event({.irreversible = true});
  EXPECT_FALSE(complete(alone));
  approve(alone, "bo");
  EXPECT_TRUE(complete(alone));

  rule({.name = "two-eyes", .count = 1});
  EXPECT_FALSE(complete(alone)) << "the built-in rule asks for one more than the others";
  approve(alone, "cy");
  EXPECT_TRUE(complete(alone));

  rule({.name = "no-way-back", .irreversible_only = true, .count = 3});
  EXPECT_FALSE(complete(alone));
  EXPECT_EQ(approvals_needed(world_, alone, kNoon).rules.size(), 2u)
      << "a written rule replaces the built-in one";
  EXPECT_EQ(approvals_needed(world_, event({}), kNoon).rules.size(), 1u);
}

TEST_F(Approvals, ExceptionsWaiveARuleAndExpire) {
  rule({.name = "two-eyes", .count = 1});
  policy_.exceptions = {
      {"night-shift", "two-eyes", "winter-raid", "nobody is awake", kNoon + hours(1)}};
  put();
  EventState& raid = event({});
  const ApprovalNeed need = approvals_needed(world_, raid, kNoon);
  EXPECT_TRUE(need.complete());
  ASSERT_EQ(need.notes.size(), 1u);
  EXPECT_NE(
      need.notes[0].find("exception 'night-shift' until 2026-12-18T13:00:00Z: nobody is awake"),
      std::string::npos);
  EXPECT_FALSE(complete(raid, hours(1)));
  EXPECT_FALSE(complete(event({.name = "other"})));
}

TEST_F(Approvals, AuditModeNotesAndRefusesNothing) {
  rule({.name = "two-eyes", .count = 1});
  policy_.audit_only = true;
  put();
  const ApprovalNeed need = approvals_needed(world_, event({}), kNoon);
  EXPECT_TRUE(need.complete());
  ASSERT_EQ(need.notes.size(), 1u);
  EXPECT_TRUE(need.notes[0].starts_with("audit mode, nothing is refused: rule 'two-eyes'"));
}

// Two people, each for an hour, for the manifest that they read: nobody alone, and no other
// revision.
TEST_F(Approvals, AreSetAsideWhileTwoPeopleHaveBrokenTheGlass) {
  rule({.name = "four-eyes", .count = 2});
  EventState& raid = event({});
  const auto broken_by = [&](std::string who, Instant at) {
    raid.glass.push_back(
        {raid.manifest->hash, std::move(who), "nobody can log in", at, at + kGlassStaysBroken});
  };
  EXPECT_EQ(may_break_glass(raid, "ann", "", kNoon).error().code, ErrorCode::Invalid);
  EXPECT_TRUE(may_break_glass(raid, "ann", "nobody can log in", kNoon));
  broken_by("ann", kNoon);
  EXPECT_EQ(may_break_glass(raid, "ann", "again", kNoon).error().code, ErrorCode::Conflict);
  EXPECT_FALSE(complete(raid)) << "one person is not enough";
  broken_by("bo", kNoon + minutes(30));
  EXPECT_TRUE(complete(raid, minutes(30)));
  const ApprovalNeed need = approvals_needed(world_, raid, kNoon + minutes(30));
  ASSERT_EQ(need.notes.size(), 1u);
  EXPECT_EQ(need.notes[0],
            "approvals and freezes are set aside for winter-raid r1 until 2026-12-18T13:00:00Z by "
            "'ann' (nobody can log in) and 'bo' (nobody can log in)");
  EXPECT_FALSE(complete(raid, hours(1))) << "the first part has lapsed";

  auto revised = std::make_shared<Manifest>(*raid.manifest);
  revised->hash = to_hex(sha256("another"));
  raid.manifest = revised;
  EXPECT_FALSE(complete(raid, minutes(30))) << "it was broken for another manifest";
}

}  // namespace
}  // namespace showcaller
