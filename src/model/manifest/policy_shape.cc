// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/shapes.h"

namespace showcaller::manifest {
namespace {

Value<std::string> verb() {
  std::vector<std::pair<std::string, std::string>> words;
  for (const char* word :
       {"*",          "apply",   "approve",  "hold",       "resume",    "promote",   "rollback",
        "cancel",     "retire",  "divert",   "pace",       "step-back", "stop-line", "resume-line",
        "quarantine", "release", "allocate", "report",     "read",      "flags",     "token",
        "policy",     "privacy", "ready",    "break-glass"}) {
    words.emplace_back(word, word);
  }
  return choice<std::string>(std::move(words));
}

Value<std::string> risk_word() {
  return choice<std::string>({{"low", "low"}, {"normal", "normal"}, {"high", "high"}});
}

const Shape<RoleSpec>& role_shape() {
  static const Shape<RoleSpec> shape(
      "Role", "What its holders may do.",
      {field("name", &RoleSpec::name, dns_label(), "Unique in the policy.").needed(),
       field("verbs", &RoleSpec::verbs, list(verb(), 64), "What they may do; \"*\" is all.")
           .needed(),
       field("owners", &RoleSpec::owners, list(dns_label(), 1'000),
             "To things of these owners only.")
           .derived_as("any owner")});
  return shape;
}

const Shape<ApprovalRule>& approval_shape() {
  static const Shape<ApprovalRule> shape(
      "ApprovalRule", "When a LiveEvent needs approvals, and whose.",
      {field("name", &ApprovalRule::name, dns_label(), "Unique in the policy.").needed(),
       section("when",
               Shape<ApprovalRule>(
                   "ApprovalWhen", "Which events.",
                   {field("risk", &ApprovalRule::risks, list(risk_word(), 3), "Of these risks.")
                        .derived_as("any"),
                    field("irreversible", &ApprovalRule::irreversible_only, boolean(),
                          "true: only those with an irreversible change.")
                        .assumed("false")}),
               "Which events."),
       field("count", &ApprovalRule::count, integer(1, 100),
             "So many different people, none of them the author.")
           .assumed("1"),
       field("roles", &ApprovalRule::roles, list(dns_label(), 64), "Whose approval counts.")
           .derived_as("of whoever may approve"),
       field("valid_for", &ApprovalRule::valid_for, positive_duration(),
             "How long an approval holds.")
           .assumed("72h")});
  return shape;
}

const Shape<FreezeSpec>& freeze_shape() {
  static const Shape<FreezeSpec> shape(
      "Freeze", "A time in which exposure does not grow. Moves toward safety are never frozen.",
      {field("name", &FreezeSpec::name, dns_label(), "Unique in the policy.").needed(),
       field("from", &FreezeSpec::from, instant(), "Since when.").needed(),
       field("to", &FreezeSpec::to, instant(), "Until when.").needed(),
       field("owners", &FreezeSpec::owners, list(dns_label(), 1'000), "For things of these owners.")
           .derived_as("all"),
       field("except", &FreezeSpec::except_events, list(dns_label(), 1'000),
             "Events it does not hold.")
           .assumed("[]"),
       field("reason", &FreezeSpec::reason, text(), "Shown to those who are refused.")},
      [](Reader& reader, const Node& node, FreezeSpec* freeze) {
        if (freeze->to <= freeze->from) reader.error_below(node, "to", "`to` is not after `from`");
      });
  return shape;
}

const Shape<ExceptionSpec>& exception_shape() {
  static const Shape<ExceptionSpec> shape(
      "Exception", "Lets one event past one rule, until a time.",
      {field("name", &ExceptionSpec::name, dns_label(), "Unique in the policy.").needed(),
       field("rule", &ExceptionSpec::rule, dns_label(), "The freeze, approval rule or quota.")
           .needed(),
       field("event", &ExceptionSpec::event, dns_label(), "The LiveEvent.").needed(),
       field("until", &ExceptionSpec::until, instant(), "When it ends.").needed(),
       field("reason", &ExceptionSpec::reason, text(), "Why.").needed()});
  return shape;
}

const Shape<QuotaSpec>& quota_shape() {
  static const Shape<QuotaSpec> shape(
      "Quota", "Upper bounds.",
      {field("name", &QuotaSpec::name, dns_label(), "Unique in the policy.").needed(),
       field("events_active", &QuotaSpec::events_active_max, integer(0, 1'000'000),
             "LiveEvents under way; 0: no bound.")
           .assumed("0"),
       field("instances", &QuotaSpec::instances_max, integer(0, 10'000'000),
             "Instances; 0: no bound.")
           .assumed("0")});
  return shape;
}

template <class T>
std::vector<std::string> names_of(Reader& reader, const Node& node, std::string_view key,
                                  const std::vector<T>& things) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < things.size(); ++i) {
    if (std::ranges::find(names, things[i].name) != names.end()) {
      reader.error_below(node, fmt::format("{}[{}].name", key, i),
                         fmt::format("the name '{}' is used twice in {}", things[i].name, key));
    }
    names.push_back(things[i].name);
  }
  return names;
}

// Roles that exist without a manifest (policy/access.h).
bool is_built_in(std::string_view role) {
  return role == "admin" || role == "operator" || role == "viewer" || role == "game-server" ||
         role == "client";
}

void finish_policy(Reader& reader, const Node& node, PolicySpec* policy) {
  const auto roles = names_of(reader, node, "roles", policy->roles);
  std::vector<std::string> rules = names_of(reader, node, "approvals", policy->approvals);
  for (auto& name : names_of(reader, node, "freezes", policy->freezes))
    rules.push_back(std::move(name));
  for (auto& name : names_of(reader, node, "quotas", policy->quotas))
    rules.push_back(std::move(name));
  names_of(reader, node, "exceptions", policy->exceptions);
  for (std::size_t i = 0; i < policy->exceptions.size(); ++i) {
    const std::string& rule = policy->exceptions[i].rule;
    if (std::ranges::find(rules, rule) != rules.end()) continue;
    reader.error_below(node, fmt::format("exceptions[{}].rule", i),
                       fmt::format("this policy has no rule '{}'", rule), suggestion(rule, rules));
  }
  for (std::size_t i = 0; i < policy->approvals.size(); ++i) {
    for (std::size_t k = 0; k < policy->approvals[i].roles.size(); ++k) {
      const std::string& role = policy->approvals[i].roles[k];
      if (std::ranges::find(roles, role) != roles.end() || policy->roles.empty() ||
          is_built_in(role))
        continue;
      reader.error_below(node, fmt::format("approvals[{}].roles[{}]", i, k),
                         fmt::format("this policy has no role '{}'", role),
                         suggestion(role, roles));
    }
  }
}

}  // namespace

const Shape<PolicySpec>& policy_shape() {
  static const Shape<PolicySpec> shape(
      "Policy", "What may happen: roles, approvals, freezes, exceptions, quotas, rates.",
      {list_field("roles", &PolicySpec::roles, role_shape(), "Who may do what.", 256).assumed("[]"),
       list_field("approvals", &PolicySpec::approvals, approval_shape(),
                  "What needs a second person.", 256)
           .assumed("[]"),
       list_field("freezes", &PolicySpec::freezes, freeze_shape(), "When exposure does not grow.",
                  1'000)
           .assumed("[]"),
       list_field("exceptions", &PolicySpec::exceptions, exception_shape(),
                  "Who gets past a rule, until when.", 1'000)
           .assumed("[]"),
       list_field("quotas", &PolicySpec::quotas, quota_shape(), "How much at once.", 64)
           .assumed("[]"),
       section("rate_limit",
               Shape<PolicySpec>("RateLimit", "How often.",
                                 {field_with<PolicySpec, std::int64_t>(
                                      "commands", rate_per_minute(),
                                      [](PolicySpec* p, std::int64_t rate) {
                                        p->commands_per_minute_max = static_cast<int>(
                                            std::min<std::int64_t>(rate, 1'000'000'000));
                                      },
                                      "Commands of one actor.")
                                      .derived_as("no limit")}),
               "How often an actor may command."),
       field("mode", &PolicySpec::audit_only, choice<bool>({{"enforce", false}, {"audit", true}}),
             "audit: log what would be refused, refuse nothing.")
           .assumed("enforce")},
      finish_policy);
  return shape;
}

}  // namespace showcaller::manifest
