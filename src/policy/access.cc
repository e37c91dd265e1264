// SPDX-License-Identifier: Apache-2.0
#include "policy/access.h"

#include <algorithm>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/suggest.h"
#include "policy/freezes.h"
#include "policy/names.h"
#include "policy/policies.h"

namespace showcaller {
namespace {

constexpr std::string_view kAdmin = "admin";
constexpr std::array<std::string_view, 1> kAdminVerbs{"*"};
constexpr std::array<std::string_view, 31> kOperatorVerbs{
    "apply",          "approve",     "hold",       "resume",    "promote",   "rollback",
    "cancel",         "retire",      "divert",     "pace",      "read",      "step-back",
    "stop-line",      "resume-line", "quarantine", "release",   "flags",     "allocate",
    "ready",          "break-glass", "drill",      "prove",     "kill-flag", "reopen-flag",
    "acknowledge",    "resolve",     "silence",    "unsilence", "own",       "withdraw-feature",
    "restore-feature"};
constexpr std::array<std::string_view, 2> kViewerVerbs{"read", "flags"};
constexpr std::array<std::string_view, 3> kGameServerVerbs{"allocate", "report", "flags"};
constexpr std::array<std::string_view, 2> kClientVerbs{"report", "flags"};
constexpr std::array<std::string_view, 3> kRelayVerbs{"relay", "report", "flags"};

constexpr std::array<std::string_view, 2> kProberVerbs{"probe", "report"};

struct BuiltInRole {
  std::string_view name;
  std::span<const std::string_view> verbs;
};
constexpr std::array<BuiltInRole, 7> kBuiltInRoles{{
    {kAdmin, kAdminVerbs},
    {"operator", kOperatorVerbs},
    {"viewer", kViewerVerbs},
    {"game-server", kGameServerVerbs},
    {"client", kClientVerbs},
    {"relay", kRelayVerbs},
    {"prober", kProberVerbs},
}};

template <class Verbs>
bool verbs_allow(const Verbs& verbs, std::string_view verb) {
  return contains(verbs, "*") || contains(verbs, verb) ||
         (verb == "flags" && contains(verbs, "read"));
}

bool owners_allow(const RoleSpec& role, std::string_view owner) {
  return role.owners.empty() || contains(role.owners, owner);
}

// What one role says to a verb on an owner's thing.
enum class Answer { Allowed, WrongOwner, No };

Answer ask_role(const World& world, std::string_view role, std::string_view verb,
                std::string_view owner) {
  if (role == kAdmin) return Answer::Allowed;
  Answer answer = Answer::No;
  bool replaced = false;
  each_policy(world, [&](const Manifest&, const PolicySpec& policy) {
    if (policy.audit_only) return;
    for (const RoleSpec& written : policy.roles) {
      if (written.name != role) continue;
      replaced = true;
      if (!verbs_allow(written.verbs, verb)) continue;
      if (owners_allow(written, owner)) {
        answer = Answer::Allowed;
      } else if (answer == Answer::No) {
        answer = Answer::WrongOwner;
      }
    }
  });
  if (answer == Answer::Allowed || replaced) return answer;
  for (const BuiltInRole& built_in : kBuiltInRoles) {
    if (built_in.name == role && verbs_allow(built_in.verbs, verb)) return Answer::Allowed;
  }
  return answer;
}

// Roles that would do, for the remedy. Admin is named only when nothing less would do.
std::vector<std::string> roles_that_allow(const World& world, std::string_view verb,
                                          std::string_view owner) {
  std::vector<std::string> roles;
  for (const std::string& role : known_roles(world)) {
    if (role != kAdmin && ask_role(world, role, verb, owner) == Answer::Allowed) {
      roles.push_back(role);
    }
  }
  if (roles.empty()) roles.emplace_back(kAdmin);
  return roles;
}

std::string of_whom(std::string_view owner) {
  return owner.empty() ? std::string("on the whole house") : fmt::format("on what {} owns", owner);
}

}  // namespace

std::string_view verb_to_apply(Kind kind) {
  return kind == Kind::Policy ? "policy" : "apply";
}

Status authorize(const World& world, const Actor& actor, std::string_view verb,
                 std::string_view owner) {
  bool wrong_owner = false;
  for (const std::string& role : actor.roles) {
    const Answer answer = ask_role(world, role, verb, owner);
    if (answer == Answer::Allowed) return {};
    wrong_owner = wrong_owner || answer == Answer::WrongOwner;
  }
  const std::string has = actor.roles.empty()
                              ? std::string("no role")
                              : fmt::format("the role {}", fmt::join(actor.roles, ", "));
  return fail(
      ErrorCode::Forbidden,
      fmt::format("'{}' has {}, which may {}'{}' {}; use a token with the role {}", actor.name, has,
                  wrong_owner ? "do this for other owners, but not " : "not ", verb, of_whom(owner),
                  fmt::join(roles_that_allow(world, verb, owner), " or ")));
}

Status authorize_roles(const World& world, const Actor& actor,
                       const std::vector<std::string>& roles) {
  const std::vector<std::string> known = known_roles(world);
  for (const std::string& role : roles) {
    if (contains(known, role)) continue;
    return fail(
        ErrorCode::Invalid,
        fmt::format("no policy in force knows the role '{}', and it would give no right{}", role,
                    did_you_mean(role, known, "apply the policy that defines it first")));
  }
  if (authorize(world, actor, "*", "")) return {};
  for (const std::string& role : roles) {
    if (contains(actor.roles, role)) continue;
    return fail(
        ErrorCode::Forbidden,
        fmt::format("'{}' does not hold the role '{}' and cannot give it away; ask an admin",
                    actor.name, role));
  }
  return {};
}

std::vector<std::string> known_roles(const World& world) {
  std::vector<std::string> roles;
  roles.reserve(kBuiltInRoles.size());
  for (const BuiltInRole& role : kBuiltInRoles) roles.emplace_back(role.name);
  each_policy(world, [&](const Manifest&, const PolicySpec& policy) {
    if (policy.audit_only) return;
    for (const RoleSpec& role : policy.roles) roles.push_back(role.name);
  });
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
  return roles;
}

std::vector<RoleGrant> role_grants(const World& world) {
  std::vector<RoleGrant> grants;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    if (policy.audit_only) return;
    for (const RoleSpec& role : policy.roles) {
      if (role.name != kAdmin)
        grants.push_back({role.name, manifest.name, role.verbs, role.owners});
    }
  });
  for (const BuiltInRole& role : kBuiltInRoles) {
    if (std::ranges::find(grants, role.name, &RoleGrant::role) == grants.end())
      grants.push_back({std::string(role.name), {}, {role.verbs.begin(), role.verbs.end()}, {}});
  }
  std::ranges::stable_sort(grants, {}, &RoleGrant::role);
  return grants;
}

namespace {

const Token* token_of(const World& world, std::string_view token_text) {
  const std::string hash = to_hex(sha256(token_text));
  const Token* token = world.tokens.find(hash);
  return token && equal_in_constant_time(token->sha256, hash) ? token : nullptr;
}

bool has_expired(const Token& token, Instant now) {
  return token.expires != Instant{} && token.expires <= now;
}

}  // namespace

Result<Actor> authenticate(const World& world, std::string_view token_text, Instant now) {
  const Token* token = token_of(world, token_text);
  if (!token) {
    return fail(
        ErrorCode::Unauthenticated,
        "the token is not known; check it, or have one made with `showcaller token create`");
  }
  if (has_expired(*token, now)) {
    return fail(
        ErrorCode::Unauthenticated,
        fmt::format(
            "the token '{}' expired at {}; have a new one made with `showcaller token create`",
            token->name, format_instant(token->expires)));
  }
  return Actor{token->name, token->roles};
}

namespace {

bool is_member(const MemberSpec& member, const Identity& person) {
  return contains(member.people, person.name) ||
         std::ranges::any_of(person.groups, [&](const std::string& group) {
           return contains(member.groups, group);
         });
}

bool names_a_token(const World& world, std::string_view name) {
  bool found = false;
  world.tokens.each(
      [&](const std::string&, const Token& token) { found = found || token.name == name; });
  return found;
}

}  // namespace

Result<Actor> recognize(const World& world, const Identity& person) {
  if (!check_token_name(person.name) || names_a_token(world, person.name)) {
    return fail(ErrorCode::Unauthenticated,
                fmt::format("'{}' is no name that records could tell apart from a token's or "
                            "Showcaller's own; have the token revoked, or another claim be the "
                            "name (--oidc-name-claim)",
                            person.name));
  }
  Actor actor{person.name, {}};
  each_policy(world, [&](const Manifest&, const PolicySpec& policy) {
    if (policy.audit_only) return;
    for (const MemberSpec& member : policy.members) {
      if (is_member(member, person) && !contains(actor.roles, member.role))
        actor.roles.push_back(member.role);
    }
  });
  if (!actor.roles.empty()) return actor;
  return fail(ErrorCode::Unauthenticated,
              fmt::format("no policy gives '{}' a role{}; an admin adds one to the `members` of a "
                          "Policy",
                          person.name,
                          person.groups.empty() ? std::string(", and the issuer names no group")
                                                : fmt::format(", nor the groups {}",
                                                              fmt::join(person.groups, ", "))));
}

namespace {

std::string owner_of(const World& world, Kind kind, std::string_view name) {
  if (kind == Kind::LiveEvent) {
    const EventState* event = world.event(name);
    return event ? event->manifest->owner : "";
  }
  const auto manifest = world.manifest(kind, name);
  return manifest ? manifest->owner : "";
}

// Of a silence: whose page it keeps back.
std::string subject_owner(const World& world, std::string_view subject) {
  const std::size_t slash = subject.find('/');
  if (slash == std::string_view::npos) return "";
  const std::string_view kind = subject.substr(0, slash), name = subject.substr(slash + 1);
  for (const Kind known : {Kind::LiveEvent, Kind::Service, Kind::Fleet}) {
    if (kind == to_string(known)) return owner_of(world, known, name);
  }
  return "";
}

// Each kind of command to the owners it touches. Things that are not there are refused by whoever
// looks for them.
class CommandAccess {
 public:
  CommandAccess(const World& world, const Actor& actor) : world_(world), actor_(actor) {}

  Status operator()(const ApplyCommand& c) const {
    for (const auto& manifest : c.manifests) {
      const std::string_view verb = verb_to_apply(manifest->kind());
      TRY(authorize(world_, actor_, verb, manifest->owner));
      const std::string before = owner_of(world_, manifest->kind(), manifest->name);
      if (!before.empty() && before != manifest->owner)
        TRY(authorize(world_, actor_, verb, before));
    }
    return {};
  }
  Status operator()(const RemoveCommand& c) const {
    return authorize(world_, actor_, verb_to_apply(c.kind), owner_of(world_, c.kind, c.name));
  }
  Status operator()(const ApproveCommand& c) const { return on_event(verb_of(c), c.event); }
  Status operator()(const ProveGateCommand& c) const { return on_event("prove", c.event); }
  Status operator()(const EventCommand& c) const { return on_event(verb_of(c), c.event); }
  Status operator()(const ReadyCommand& c) const { return on_event("ready", c.event); }
  Status operator()(const LineCommand& c) const {
    return authorize(world_, actor_, verb_of(c), line_owner(world_, c.scope));
  }
  Status operator()(const QuarantineCommand& c) const {
    return authorize(world_, actor_, verb_of(c), owner_of(world_, Kind::Fleet, c.fleet));
  }
  // Both the drill's owner and the fleet's are asked.
  Status operator()(const DrillCommand& c) const {
    TRY(authorize(world_, actor_, "drill", owner_of(world_, Kind::Drill, c.drill)));
    const auto manifest = world_.manifest(Kind::Drill, c.drill);
    if (!manifest) return {};
    return authorize(world_, actor_, "drill",
                     owner_of(world_, Kind::Fleet, manifest->as<DrillSpec>().fleet));
  }
  Status operator()(const FlagCommand& c) const {
    return authorize(world_, actor_, verb_of(c), flag_owner(world_, c.flag));
  }
  Status operator()(const FeatureCommand& c) const {
    return authorize(world_, actor_, verb_of(c), owner_of(world_, Kind::Service, c.service));
  }
  Status operator()(const ConfigUndoCommand& c) const {
    return authorize(world_, actor_, verb_of(c), owner_of(world_, Kind::Config, c.config));
  }
  Status operator()(const MergeFlagsCommand& c) const {
    return authorize(world_, actor_, verb_of(c), "");
  }
  Status operator()(const AlertCommand& c) const {
    const Alert* alert = world_.alert(c.alert);
    return authorize(world_, actor_, verb_of(c),
                     !alert || alert->called.empty() ? "" : alert->called.front());
  }
  Status operator()(const SilenceCommand& c) const {
    return authorize(world_, actor_, verb_of(c), subject_owner(world_, c.subject));
  }
  Status operator()(const UnsilenceCommand& c) const {
    const Silence* silence = world_.silences.find(c.silence);
    return authorize(world_, actor_, verb_of(c),
                     silence ? subject_owner(world_, silence->subject) : "");
  }
  Status operator()(const CreateTokenCommand& c) const {
    TRY(authorize(world_, actor_, "token", ""));
    return authorize_roles(world_, actor_, c.roles);
  }
  Status operator()(const RevokeTokenCommand&) const {
    return authorize(world_, actor_, "token", "");
  }

 private:
  Status on_event(std::string_view verb, std::string_view event) const {
    return authorize(world_, actor_, verb, owner_of(world_, Kind::LiveEvent, event));
  }

  const World& world_;
  const Actor& actor_;
};

}  // namespace

std::string flag_owner(const World& world, std::string_view flag) {
  constexpr std::string_view kPrefix = "config.";
  return flag.starts_with(kPrefix) ? owner_of(world, Kind::Config, flag.substr(kPrefix.size()))
                                   : owner_of(world, Kind::Flag, flag);
}

Status authorize_command(const World& world, const Actor& actor, const CommandBody& command) {
  return std::visit(CommandAccess(world, actor), command);
}

Status check_token_name(std::string_view name) {
  if (name.empty())
    return fail(ErrorCode::Invalid, "a token needs a name; records tell by it who did what");
  if (name == "engine" || name == "host") {
    return fail(ErrorCode::Invalid,
                fmt::format("'{}' names Showcaller itself in records; choose another name", name));
  }
  if (name.size() > 128)
    return fail(ErrorCode::Invalid, "a token's name has at most 128 characters; shorten it");
  return {};
}

}  // namespace showcaller
