// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/manifest.h"
#include "model/manifest/shapes.h"

namespace showcaller::manifest {
namespace {

Value<std::string> verb() {
  std::vector<std::pair<std::string, std::string>> words;
  for (const char* word : {"*",
                           "apply",
                           "approve",
                           "hold",
                           "resume",
                           "promote",
                           "rollback",
                           "cancel",
                           "retire",
                           "divert",
                           "pace",
                           "step-back",
                           "stop-line",
                           "resume-line",
                           "quarantine",
                           "release",
                           "allocate",
                           "report",
                           "read",
                           "flags",
                           "token",
                           "policy",
                           "privacy",
                           "ready",
                           "break-glass",
                           "drill",
                           "prove",
                           "kill-flag",
                           "reopen-flag",
                           "relay",
                           "acknowledge",
                           "resolve",
                           "silence",
                           "unsilence",
                           "probe",
                           "own",
                           "withdraw-feature",
                           "restore-feature"}) {
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

const Shape<MemberSpec>& member_shape() {
  static const Shape<MemberSpec> shape(
      "Member", "Whom a role is given that signs in by the issuer of identities.",
      {field("role", &MemberSpec::role, dns_label(), "The role.").needed(),
       field("groups", &MemberSpec::groups, list(text(), 256), "Who is in one of these groups.")
           .assumed("[]"),
       field("people", &MemberSpec::people, list(text(), 1'000), "These people.").assumed("[]")},
      [](Reader& reader, const Node& node, MemberSpec* member) {
        if (member->groups.empty() && member->people.empty())
          reader.error_below(node, "role", "the role is given to nobody",
                             "add `groups: [...]` or `people: [...]`");
      });
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
       field("rule", &ExceptionSpec::rule, dns_label(),
             "The freeze, approval rule, quota or admission rule.")
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

Value<std::string> kind_word() {
  std::vector<std::pair<std::string, std::string>> words;
  for (int i = 0; i < kKinds; ++i) {
    const std::string word(to_string(Kind(i)));
    if (Kind(i) != Kind::Policy) words.emplace_back(word, word);
  }
  return choice<std::string>(std::move(words));
}

const Shape<AdmissionRule>& rule_shape() {
  static const Shape<AdmissionRule> shape(
      "AdmissionRule", "What a manifest has to be like to be applied.",
      {field("name", &AdmissionRule::name, dns_label(), "Unique in the policy.").needed(),
       field("kinds", &AdmissionRule::kinds, list(kind_word(), 8), "Manifests of these kinds.")
           .derived_as("every kind but Policy"),
       field("when", &AdmissionRule::when, json_logic(),
             "Over `manifest` as it was written, `before` (the one in force, or null) and `actor`.")
           .needed(),
       field("deny", &AdmissionRule::deny, text(), "Where it holds, it is refused: why."),
       field("warn", &AdmissionRule::warn, text(), "Where it holds, the answer says this.")},
      [](Reader& reader, const Node& node, AdmissionRule* rule) {
        if (rule->deny.empty() == rule->warn.empty())
          reader.error_below(node, "name", "a rule says either `deny` or `warn`",
                             "add `deny: why`, or `warn: what to look at`");
      });
  return shape;
}

const Shape<PolicyExample>& example_shape() {
  static const Shape<PolicyExample> shape(
      "PolicyExample", "A case for `showcaller policy test`.",
      {field("name", &PolicyExample::name, dns_label(), "Unique in the policy.").needed(),
       field("manifest", &PolicyExample::manifest, any_object(),
             "What is applied, or the part of it that matters, with its `kind`.")
           .needed(),
       field_with<PolicyExample, json::object>(
           "before", any_object(),
           [](PolicyExample* e, json::object before) { e->before = std::move(before); },
           "What is in force.")
           .derived_as("nothing"),
       field_with<PolicyExample, json::object>(
           "actor", any_object(),
           [](PolicyExample* e, json::object actor) { e->actor = std::move(actor); },
           "Who applies it: { name, roles }.")
           .derived_as("nobody"),
       field("expect", &PolicyExample::expect,
             choice<AdmissionOutcome>({{"allow", AdmissionOutcome::Allow},
                                       {"warn", AdmissionOutcome::Warn},
                                       {"deny", AdmissionOutcome::Deny}}),
             "What has to come of it.")
           .needed(),
       field("rule", &PolicyExample::rule, dns_label(), "The rule that has to say so.")
           .derived_as("any")});
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
         role == "client" || role == "relay" || role == "prober";
}

void finish_examples(Reader& reader, const Node& node, const PolicySpec& policy,
                     const std::vector<std::string>& rules) {
  names_of(reader, node, "examples", policy.examples);
  for (std::size_t i = 0; i < policy.examples.size(); ++i) {
    const PolicyExample& example = policy.examples[i];
    const std::string at = fmt::format("examples[{}]", i);
    if (!kind_from(get_string(example.manifest, "kind"))) {
      reader.error_below(node, at + ".manifest", "the example's manifest has no kind",
                         "add `kind: LiveEvent`");
    }
    if (example.rule.empty()) continue;
    if (example.expect == AdmissionOutcome::Allow) {
      reader.error_below(node, at + ".rule", "no rule speaks where `expect` is allow");
    } else if (std::ranges::find(rules, example.rule) == rules.end()) {
      reader.error_below(node, at + ".rule",
                         fmt::format("this policy has no rule '{}'", example.rule),
                         suggestion(example.rule, rules));
    }
  }
}

void finish_policy(Reader& reader, const Node& node, PolicySpec* policy) {
  const auto roles = names_of(reader, node, "roles", policy->roles);
  std::vector<std::string> rules = names_of(reader, node, "approvals", policy->approvals);
  for (auto& name : names_of(reader, node, "freezes", policy->freezes))
    rules.push_back(std::move(name));
  for (auto& name : names_of(reader, node, "quotas", policy->quotas))
    rules.push_back(std::move(name));
  const auto admission = names_of(reader, node, "rules", policy->rules);
  rules.insert(rules.end(), admission.begin(), admission.end());
  finish_examples(reader, node, *policy, admission);
  names_of(reader, node, "exceptions", policy->exceptions);
  for (std::size_t i = 0; i < policy->exceptions.size(); ++i) {
    const std::string& rule = policy->exceptions[i].rule;
    if (std::ranges::find(rules, rule) != rules.end()) continue;
    reader.error_below(node, fmt::format("exceptions[{}].rule", i),
                       fmt::format("this policy has no rule '{}'", rule), suggestion(rule, rules));
  }
  // Without roles of its own it may speak of another policy's.
  const auto check_role = [&](const std::string& role, const std::string& at) {
    if (policy->roles.empty() || is_built_in(role) || std::ranges::find(roles, role) != roles.end())
      return;
    reader.error_below(node, at, fmt::format("this policy has no role '{}'", role),
                       suggestion(role, roles));
  };
  for (std::size_t i = 0; i < policy->approvals.size(); ++i) {
    for (std::size_t k = 0; k < policy->approvals[i].roles.size(); ++k)
      check_role(policy->approvals[i].roles[k], fmt::format("approvals[{}].roles[{}]", i, k));
  }
  for (std::size_t i = 0; i < policy->members.size(); ++i)
    check_role(policy->members[i].role, fmt::format("members[{}].role", i));
}

}  // namespace

const Shape<PolicySpec>& policy_shape() {
  static const Shape<PolicySpec> shape(
      "Policy",
      "What may happen: roles, members, approvals, freezes, exceptions, quotas, rules, rates, "
      "gates.",
      {list_field("roles", &PolicySpec::roles, role_shape(), "Who may do what.", 256).assumed("[]"),
       list_field("members", &PolicySpec::members, member_shape(),
                  "Who has which role that signs in by the issuer of identities.", 256)
           .assumed("[]"),
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
       list_field("rules", &PolicySpec::rules, rule_shape(), "What may be applied.", 256)
           .assumed("[]"),
       list_field("examples", &PolicySpec::examples, example_shape(),
                  "Cases that `showcaller policy test` holds the rules against.", 1'000)
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
       section("gates",
               Shape<PolicySpec>(
                   "GateRules", "Which gates may act.",
                   {field("unproven", &PolicySpec::unproven_gates,
                          choice<UnprovenGates>(
                              {{"act", UnprovenGates::Act}, {"warn", UnprovenGates::Warn}}),
                          "What a gate does that no rehearsal and no backtest has proven.")
                        .assumed("act")}),
               "Which gates may act."),
       field("mode", &PolicySpec::audit_only, choice<bool>({{"enforce", false}, {"audit", true}}),
             "audit: log what would be refused, refuse nothing.")
           .assumed("enforce")},
      finish_policy);
  return shape;
}

}  // namespace showcaller::manifest
