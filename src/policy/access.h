// SPDX-License-Identifier: Apache-2.0
// Who may do what: tokens, roles, and the one check that the API, the command line, allocation and
// flag reads share.
//
// Roles come from Policy manifests. Five exist without one: admin (everything, and no manifest can
// narrow it), operator (runs events; may touch neither policies nor tokens nor private data),
// viewer (reads), game-server (allocates, reports, reads flags) and client (reports, and gets the
// values of flags that are visible to clients); and for programs of ours relay, and prober, which
// is told what to probe and reports what came of it. A Policy that names one of them other than
// admin replaces it; a role that several policies name is the union of what they say. A policy in
// audit mode says nothing about roles.
// Who signs in by an issuer of identities has the roles that the `members` of policies give to them
// or their groups, at this moment: a policy that takes them away does so at once.
//
// Pure: the same world, actor and time give the same answer. Access is checked for moves toward
// safety too.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/command.h"
#include "model/identity.h"
#include "model/world.h"

namespace showcaller {

// All verbs. "read" includes "flags"; "policy" is applying or removing a Policy, which would
// otherwise let whoever may apply an event give himself any right.
inline constexpr std::array<std::string_view, 37> kVerbs{
    "apply",          "approve",     "hold",       "resume",      "promote",  "rollback",
    "cancel",         "retire",      "divert",     "pace",        "read",     "step-back",
    "stop-line",      "resume-line", "quarantine", "release",     "allocate", "report",
    "flags",          "token",       "policy",     "privacy",     "ready",    "break-glass",
    "drill",          "prove",       "kill-flag",  "reopen-flag", "relay",    "acknowledge",
    "resolve",        "silence",     "unsilence",  "probe",       "own",      "withdraw-feature",
    "restore-feature"};

// The verb that applying or removing a manifest of this kind needs.
std::string_view verb_to_apply(Kind kind);

// May the actor do this to something that `owner` owns? An empty owner means a thing of the whole
// house: only a role without a list of owners reaches it. Forbidden names who would have to allow
// it.
[[nodiscard]] Status authorize(const World& world, const Actor& actor, std::string_view verb,
                               std::string_view owner);

// The same for a whole command: each manifest it applies under its kind's verb, for its new owner
// and its old; an event's or fleet's owner; the owner that a line's scope names; the roles of a
// token to be made.
[[nodiscard]] Status authorize_command(const World& world, const Actor& actor,
                                       const CommandBody& command);

// Whose a flag is; a configuration document is the flag "config.NAME". Empty: nobody's.
std::string flag_owner(const World& world, std::string_view flag);

// A token may be given no role that nobody knows (Invalid), and none that its maker does not hold,
// unless the maker may do everything.
[[nodiscard]] Status authorize_roles(const World& world, const Actor& actor,
                                     const std::vector<std::string>& roles);
// Known roles: the built-in ones and those of every Policy in force. Sorted.
std::vector<std::string> known_roles(const World& world);

// What a role may do, as the policy that defines it says; one that no policy replaces is built in.
struct RoleGrant {
  std::string role, policy;         // policy empty: built in
  std::vector<std::string> verbs;   // "*": all
  std::vector<std::string> owners;  // empty: whatever anybody owns
};
// Those in force, by role.
std::vector<RoleGrant> role_grants(const World& world);

// The token with this text as an actor; Unauthenticated tells an unknown token from an expired one.
// Takes the same time for every wrong text of one length, because only hashes are compared.
Result<Actor> authenticate(const World& world, std::string_view token_text, Instant now);

// Somebody whom the issuer of identities vouches for, with the roles that the `members` of policies
// give them. Unauthenticated: no role at all, or a name by which records would mean somebody else.
Result<Actor> recognize(const World& world, const Identity& person);

// The names that a token must not have: records speak of "engine" when Showcaller itself decided.
[[nodiscard]] Status check_token_name(std::string_view name);

}  // namespace showcaller
