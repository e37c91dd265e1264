// SPDX-License-Identifier: Apache-2.0
// Who may do what: a table of roles and verbs, owners, tokens.
#include "policy/access.h"

#include <gtest/gtest.h>

#include "tests/policy/policy_world.h"

namespace showcaller {
namespace {

bool may(const World& world, std::string role, std::string_view verb,
         std::string_view owner = "team-raids") {
  return authorize(world, Actor{"ann", {std::move(role)}}, verb, owner).has_value();
}

TEST(Access, BuiltInRolesNeedNoManifest) {
  struct Row {
    std::string_view verb;
    bool admin, operator_, viewer, game_server;
  };
  const World world;
  for (const Row& row : {Row{"apply", true, true, false, false},
                         Row{"approve", true, true, false, false},
                         Row{"hold", true, true, false, false},
                         Row{"rollback", true, true, false, false},
                         Row{"stop-line", true, true, false, false},
                         Row{"read", true, true, true, false},
                         Row{"flags", true, true, true, true},
                         Row{"allocate", true, true, false, true},
                         Row{"report", true, false, false, true},
                         Row{"token", true, false, false, false},
                         Row{"kill-flag", true, true, false, false},
                         Row{"reopen-flag", true, true, false, false},
                         Row{"acknowledge", true, true, false, false},
                         Row{"resolve", true, true, false, false},
                         Row{"silence", true, true, false, false},
                         Row{"unsilence", true, true, false, false},
                         Row{"own", true, true, false, false},
                         Row{"withdraw-feature", true, true, false, false},
                         Row{"restore-feature", true, true, false, false},
                         Row{"relay", true, false, false, false},
                         Row{"policy", true, false, false, false},
                         Row{"probe", true, false, false, false},
                         Row{"privacy", true, false, false, false}}) {
    EXPECT_EQ(may(world, "admin", row.verb), row.admin) << row.verb;
    EXPECT_EQ(may(world, "operator", row.verb), row.operator_) << row.verb;
    EXPECT_EQ(may(world, "viewer", row.verb), row.viewer) << row.verb;
    EXPECT_EQ(may(world, "game-server", row.verb), row.game_server) << row.verb;
    EXPECT_EQ(may(world, "relay", row.verb),
              row.verb == "relay" || row.verb == "flags" || row.verb == "report");
    EXPECT_EQ(may(world, "prober", row.verb), row.verb == "probe" || row.verb == "report");
    EXPECT_EQ(may(world, "client", row.verb), row.verb == "flags" || row.verb == "report");
    EXPECT_FALSE(may(world, "nobody", row.verb)) << row.verb;
    EXPECT_FALSE(authorize(world, Actor{"ann", {}}, row.verb, "team-raids")) << row.verb;
  }
}

TEST(Access, ManifestsAddRolesBoundToOwners) {
  World world;
  PolicySpec policy;
  policy.roles = {{"raider", {"apply", "hold"}, {"team-raids"}}, {"root", {"*"}, {}}};
  add_policy(&world, "house", policy);
  EXPECT_TRUE(may(world, "raider", "apply"));
  EXPECT_FALSE(may(world, "raider", "promote"));
  EXPECT_FALSE(may(world, "raider", "apply", "team-shop"));
  EXPECT_FALSE(may(world, "raider", "hold", ""));  // the whole house is no team's
  EXPECT_TRUE(may(world, "root", "privacy", ""));

  const Status refused = authorize(world, Actor{"ann", {"raider"}}, "apply", "team-shop");
  EXPECT_EQ(refused.error().code, ErrorCode::Forbidden);
  EXPECT_EQ(refused.error().message,
            "'ann' has the role raider, which may do this for other owners, but not 'apply' on "
            "what team-shop owns; "
            "use a token with the role operator or root");
}

TEST(Access, APolicyMayNarrowABuiltInRoleButNotAdmin) {
  World world;
  PolicySpec policy;
  policy.roles = {{"operator", {"hold"}, {}}, {"admin", {"read"}, {}}};
  add_policy(&world, "house", policy);
  EXPECT_TRUE(may(world, "operator", "hold"));
  EXPECT_FALSE(may(world, "operator", "apply"));
  EXPECT_TRUE(may(world, "admin", "apply"));

  policy.audit_only = true;
  add_policy(&world, "house", policy);
  EXPECT_TRUE(may(world, "operator", "apply"));
}

TEST(Access, RolesOfSeveralPoliciesAreTheirUnion) {
  World world;
  PolicySpec first, second;
  first.roles = {{"raider", {"apply"}, {"team-raids"}}};
  second.roles = {{"raider", {"hold"}, {}}};
  add_policy(&world, "a", first);
  add_policy(&world, "b", second);
  EXPECT_TRUE(may(world, "raider", "apply"));
  EXPECT_TRUE(may(world, "raider", "hold", "team-shop"));
  EXPECT_FALSE(may(world, "raider", "apply", "team-shop"));
}

TEST(Access, CommandsAreCheckedForEveryOwnerTheyTouch) {
  World world;
  PolicySpec policy;
  policy.roles = {{"raider", {"apply", "hold", "stop-line", "quarantine"}, {"team-raids"}}};
  add_policy(&world, "house", policy);
  add_event(&world, {});
  add_event(&world, {.name = "shop-sale", .owner = "team-shop"});
  add_fleet(&world, "raid", "team-raids");
  const Actor ann{"ann", {"raider"}};
  const auto allowed = [&](const CommandBody& command) {
    return authorize_command(world, ann, command).has_value();
  };

  EXPECT_TRUE(allowed(ApplyCommand{{event_manifest({})}}));
  EXPECT_FALSE(allowed(
      ApplyCommand{{event_manifest({}), event_manifest({.name = "x", .owner = "team-shop"})}}));
  EXPECT_FALSE(
      allowed(ApplyCommand{{event_manifest({.name = "shop-sale", .owner = "team-raids"})}}))
      << "an event of another team is not taken over by applying it under one's own name";
  EXPECT_TRUE(allowed(EventCommand{"winter-raid", EventVerb::Hold, 0, {}}));
  EXPECT_FALSE(allowed(EventCommand{"shop-sale", EventVerb::Hold, 0, {}}));
  EXPECT_TRUE(allowed(LineCommand{true, "owner/team-raids"}));
  EXPECT_TRUE(allowed(LineCommand{true, "event/winter-raid"}));
  EXPECT_TRUE(allowed(LineCommand{true, "fleet/raid"}));
  EXPECT_FALSE(allowed(LineCommand{true, ""}));
  EXPECT_TRUE(allowed(QuarantineCommand{false, QuarantineScope::Build, "raid", "2.4.0", {}}));
  EXPECT_FALSE(allowed(CreateTokenCommand{}));

  const auto policy_manifest = world.manifest(Kind::Policy, "house");
  EXPECT_FALSE(authorize_command(world, Actor{"bo", {"operator"}}, ApplyCommand{{policy_manifest}}))
      << "whoever may apply events must not write policies";
}

TEST(Access, ATokenIsGivenNoRoleThatItsMakerLacks) {
  World world;
  PolicySpec policy;
  policy.roles = {{"clerk", {"token"}, {}}};
  add_policy(&world, "house", policy);
  const Actor clerk{"cy", {"clerk", "viewer"}};
  CreateTokenCommand command;
  command.roles = {"viewer"};
  EXPECT_TRUE(authorize_command(world, clerk, command));
  command.roles = {"viewer", "admin"};
  EXPECT_FALSE(authorize_command(world, clerk, command));
  EXPECT_TRUE(authorize_command(world, Actor{"root", {"admin"}}, command));
}

TEST(Access, ATokenIsGivenNoRoleThatNobodyKnows) {
  CreateTokenCommand command;
  command.roles = {"operater"};
  const Status refused = authorize_command(World{}, Actor{"root", {"admin"}}, command);
  EXPECT_EQ(refused.error().code, ErrorCode::Invalid);
  EXPECT_EQ(
      refused.error().message,
      "no policy in force knows the role 'operater', and it would give no right; did you mean "
      "'operator'?");
}

TEST(Access, APolicyInAuditModeGivesNoRight) {
  World world;
  PolicySpec policy{.roles = {{"raider", {"*"}, {}}, {"viewer", {"apply"}, {}}}};
  policy.audit_only = true;
  add_policy(&world, "house", policy);
  EXPECT_FALSE(may(world, "raider", "apply"));
  EXPECT_FALSE(may(world, "viewer", "apply"));
  EXPECT_TRUE(may(world, "viewer", "read")) << "what is built in stays";
  EXPECT_EQ(known_roles(world), known_roles(World{}));
}

TEST(Access, TokensAreFoundByHashUntilTheyExpire) {
  World world;
  const std::string hash = to_hex(sha256("s3cret"));
  world.tokens[hash] = {"t1", "ann", hash, {"viewer"}, kNoon + hours(1)};
  const std::string eternal = to_hex(sha256("for ever"));
  world.tokens[eternal] = {"t2", "bot", eternal, {"game-server"}, {}};

  ASSERT_TRUE(authenticate(world, "s3cret", kNoon));
  EXPECT_EQ(authenticate(world, "s3cret", kNoon)->name, "ann");
  EXPECT_FALSE(authenticate(world, "s3cret", kNoon + hours(1)));
  EXPECT_FALSE(authenticate(world, "S3cret", kNoon));
  EXPECT_FALSE(authenticate(world, "", kNoon));
  EXPECT_FALSE(authenticate(world, hash, kNoon)) << "the hash is no token";
  EXPECT_TRUE(authenticate(world, "for ever", kNoon + hours(1'000'000)));

  EXPECT_EQ(authenticate(world, "s3cret", kNoon)->roles, std::vector<std::string>{"viewer"});
  const auto expired = authenticate(world, "s3cret", kNoon + hours(2));
  EXPECT_EQ(expired.error().code, ErrorCode::Unauthenticated);
  EXPECT_NE(expired.error().message.find("expired at 2026-12-18T13:00:00Z"), std::string::npos);
}

TEST(Access, WhoSignsInByTheIssuerHasTheRolesThatPoliciesGive) {
  World world;
  PolicySpec policy;
  policy.members = {{"operator", {"live-ops"}, {}},
                    {"viewer", {"studio"}, {"ann@studio.example"}},
                    {"operator", {}, {"ann@studio.example"}}};
  add_policy(&world, "house", policy);
  struct Row {
    Identity person;
    std::vector<std::string> roles;
  };
  for (const Row& row :
       {Row{{"bob@studio.example", {"live-ops"}}, {"operator"}},
        Row{{"bob@studio.example", {"studio", "live-ops"}}, {"operator", "viewer"}},
        Row{{"ann@studio.example", {}}, {"viewer", "operator"}}}) {
    const auto actor = recognize(world, row.person);
    ASSERT_TRUE(actor) << actor.error().message;
    EXPECT_EQ(actor->name, row.person.name);
    EXPECT_EQ(actor->roles, row.roles);
  }
  const auto stranger = recognize(world, {"eve@studio.example", {"guests"}});
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().code, ErrorCode::Unauthenticated);
  EXPECT_EQ(stranger.error().message,
            "no policy gives 'eve@studio.example' a role, nor the groups guests; an admin adds one "
            "to the `members` of a Policy");
  EXPECT_FALSE(recognize(world, {"live-ops", {}})) << "a group's name is no person's";

  policy.audit_only = true;
  add_policy(&world, "house", policy);
  EXPECT_FALSE(recognize(world, {"ann@studio.example", {}})) << "audit mode gives no right";
}

TEST(Access, NobodyWhoSignsInIsTakenForATokenOrTheEngine) {
  World world;
  PolicySpec policy;
  policy.members = {{"admin", {"all"}, {}}};
  add_policy(&world, "house", policy);
  const std::string hash = to_hex(sha256("s3cret"));
  world.tokens[hash] = {"t1", "ci-bot", hash, {"viewer"}, {}};
  for (const std::string name : {"ci-bot", "engine", "host", ""})
    EXPECT_FALSE(recognize(world, {name, {"all"}})) << name;
  EXPECT_TRUE(recognize(world, {"ann", {"all"}}));
}

TEST(Access, NobodyIsCalledLikeTheEngine) {
  EXPECT_FALSE(check_token_name("engine"));
  EXPECT_FALSE(check_token_name(""));
  EXPECT_FALSE(check_token_name(std::string(129, 'a')));
  EXPECT_TRUE(check_token_name("ann"));
}

}  // namespace
}  // namespace showcaller
