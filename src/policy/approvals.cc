// SPDX-License-Identifier: Apache-2.0
#include "policy/approvals.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "policy/break_glass.h"
#include "policy/names.h"
#include "policy/policies.h"

namespace showcaller {
namespace {

constexpr Duration kDefaultValidity = hours(72);

std::string_view risk_name(Risk risk) {
  switch (risk) {
    case Risk::Low:
      return "low";
    case Risk::Normal:
      return "normal";
    case Risk::High:
      return "high";
  }
  return "normal";
}

bool is_irreversible(const EventState& event) {
  const auto& changes = event.spec().changes;
  return std::any_of(changes.begin(), changes.end(),
                     [](const Change& c) { return c.irreversible; });
}

bool applies(const ApprovalRule& rule, const EventState& event) {
  if (rule.irreversible_only && !is_irreversible(event)) return false;
  return rule.risks.empty() || contains(rule.risks, risk_name(event.spec().risk));
}

// A rule that applies to the event, with the policy it comes from.
struct AppliedRule {
  ApprovalRule rule;
  const Manifest* policy = nullptr;  // null: the built-in rule

  const PolicySpec* spec() const { return policy ? &policy->as<PolicySpec>() : nullptr; }
};

std::vector<AppliedRule> applied_rules(const World& world, const EventState& event) {
  std::vector<AppliedRule> rules;
  int count_max = 0;
  bool has_irreversible_rule = false;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    for (const ApprovalRule& rule : policy.approvals) {
      if (!applies(rule, event)) continue;
      rules.push_back({rule, &manifest});
      if (policy.audit_only) continue;
      count_max = std::max(count_max, rule.count);
      has_irreversible_rule = has_irreversible_rule || rule.irreversible_only;
    }
  });
  if (is_irreversible(event) && !has_irreversible_rule) {
    ApprovalRule built_in;
    built_in.name = std::string(kIrreversibleRule);
    built_in.irreversible_only = true;
    built_in.count = count_max + 1;
    rules.push_back({std::move(built_in), nullptr});
  }
  return rules;
}

bool role_counts(const ApprovalRule& rule, const std::vector<std::string>& roles) {
  return rule.roles.empty() ||
         std::any_of(roles.begin(), roles.end(),
                     [&](const std::string& role) { return contains(rule.roles, role); });
}

Instant lapses(const ApprovalRule& rule, const Approval& approval) {
  return std::min(approval.until, approval.at + rule.valid_for);
}

bool counts(const ApprovalRule& rule, const Approval& approval, const EventState& event,
            Instant now) {
  return approval.hash == event.manifest->hash && approval.by != event.author &&
         role_counts(rule, approval.roles) && now < lapses(rule, approval);
}

RuleStanding standing_of(const World& world, const AppliedRule& applied, const EventState& event,
                         Instant now) {
  const ApprovalRule& rule = applied.rule;
  RuleStanding standing{.policy = applied.policy ? applied.policy->name : "",
                        .rule = rule.name,
                        .needed = rule.count,
                        .roles = rule.roles,
                        .audit_only = applied.spec() && applied.spec()->audit_only};
  for (const Approval& approval : event.approvals) {
    if (!counts(rule, approval, event, now)) continue;
    if (!contains(standing.approvers, approval.by)) standing.approvers.push_back(approval.by);
    const Instant end = lapses(rule, approval);
    standing.expires = std::min(standing.expires.value_or(end), end);
  }
  std::sort(standing.approvers.begin(), standing.approvers.end());
  if (!applied.spec()) return standing;
  if (const auto* exception =
          exception_for(*applied.spec(), rule.name, event.manifest->name, world.wall(now))) {
    standing.waived = fmt::format("exception '{}' until {}: {}", exception->name,
                                  format_instant(exception->until), exception->reason);
  }
  return standing;
}

std::string rule_name(const RuleStanding& standing) {
  return standing.policy.empty()
             ? fmt::format("the built-in rule '{}'", standing.rule)
             : fmt::format("rule '{}' of policy '{}'", standing.rule, standing.policy);
}

std::string missing_sentence(const RuleStanding& standing, const EventState& event) {
  const int more = standing.needed - int(standing.approvers.size());
  const std::string who = standing.roles.empty()
                              ? std::string("anybody who may approve")
                              : fmt::format("the role {}", fmt::join(standing.roles, " or "));
  const std::string got = standing.approvers.empty()
                              ? std::string()
                              : fmt::format(" beside {}", fmt::join(standing.approvers, ", "));
  return fmt::format(
      "{} asks for {} more approval{} by {}{}, not by its author '{}'; they run "
      "`showcaller approve {} --hash {}`",
      rule_name(standing), more, more == 1 ? "" : "s", who, got, event.author, event.manifest->name,
      event.manifest->hash.substr(0, 12));
}

void explain(const RuleStanding& standing, const EventState& event, ApprovalNeed* need) {
  const bool enough = int(standing.approvers.size()) >= standing.needed;
  if (enough) return;
  if (!standing.waived.empty()) {
    need->notes.push_back(fmt::format("{} is waived by {}", rule_name(standing), standing.waived));
  } else if (standing.audit_only) {
    need->notes.push_back("audit mode, nothing is refused: " + missing_sentence(standing, event));
  } else {
    need->missing.push_back(missing_sentence(standing, event));
  }
}

}  // namespace

ApprovalNeed approvals_needed(const World& world, const EventState& event, Instant now) {
  ApprovalNeed need;
  for (const AppliedRule& applied : applied_rules(world, event)) {
    need.rules.push_back(standing_of(world, applied, event, now));
    explain(need.rules.back(), event, &need);
  }
  if (auto broken = broken_glass(event, now)) {
    need.missing.clear();
    need.notes.push_back(*std::move(broken));
  }
  return need;
}

bool approvals_complete(const World& world, const EventState& event, Instant now) {
  return approvals_needed(world, event, now).complete();
}

Status check_hash_read(const EventState& event, std::string_view hash) {
  if (hash.empty() || (hash.size() >= 12 && event.manifest->hash.starts_with(hash))) return {};
  return fail(
      ErrorCode::Conflict,
      fmt::format(
          "the manifest of {} has the hash {}, not {}; read it again with `showcaller plan` "
          "and approve that",
          event.manifest->name, event.manifest->hash.substr(0, 12), hash.substr(0, 12)));
}

Status may_approve(const World& world, const EventState& event, const Actor& actor, Instant now) {
  const std::string& name = event.manifest->name;
  if (actor.name == event.author) {
    return fail(ErrorCode::Forbidden,
                fmt::format("'{}' is the author of {} r{}; somebody else has to approve it",
                            actor.name, name, event.revision));
  }
  const auto rules = applied_rules(world, event);
  const bool counts_for_one =
      rules.empty() || std::any_of(rules.begin(), rules.end(), [&](const AppliedRule& r) {
        return role_counts(r.rule, actor.roles);
      });
  if (!counts_for_one) {
    const ApprovalNeed need = approvals_needed(world, event, now);
    return fail(
        ErrorCode::Forbidden,
        fmt::format("an approval by '{}' counts for none of the rules of {}: {}", actor.name, name,
                    need.missing.empty() ? "they are met" : need.missing.front()));
  }
  return {};
}

Instant approval_until(const World& world, const EventState& event, Instant now) {
  Duration longest{};
  for (const AppliedRule& applied : applied_rules(world, event)) {
    longest = std::max(longest, applied.rule.valid_for);
  }
  return now + (longest == Duration{} ? kDefaultValidity : longest);
}

}  // namespace showcaller
