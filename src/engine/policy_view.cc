// SPDX-License-Identifier: Apache-2.0
#include "engine/policy_view.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/lifecycle.h"
#include "policy/access.h"
#include "policy/approvals.h"
#include "policy/freezes.h"
#include "policy/policies.h"

namespace showcaller {
namespace {

json::array roles_view(const World& world) {
  json::array out;
  for (const RoleGrant& grant : role_grants(world)) {
    out.push_back(json::object{{"role", grant.role},
                               {"policy", grant.policy},
                               {"verbs", json::value_from(grant.verbs)},
                               {"owners", json::value_from(grant.owners)}});
  }
  return out;
}

// Who has them that signs in by the issuer of identities.
json::array members_view(const World& world) {
  json::array out;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    if (policy.audit_only) return;
    for (const MemberSpec& member : policy.members) {
      out.push_back(json::object{{"role", member.role},
                                 {"policy", manifest.name},
                                 {"groups", json::value_from(member.groups)},
                                 {"people", json::value_from(member.people)}});
    }
  });
  return out;
}

// The revision that is waited for: the proposed one where there is one.
json::object waiting_view(const std::string& name, const EventState& next,
                          const ApprovalNeed& need) {
  json::array given;
  for (const Approval& approval : next.approvals)
    given.push_back(json::object{{"by", approval.by}, {"until", format_instant(approval.until)}});
  return {{"event", name},
          {"owner", next.manifest->owner},
          {"revision", next.revision},
          {"hash", next.manifest->hash},
          {"author", next.author},
          {"missing", json::value_from(need.missing)},
          {"given", std::move(given)}};
}

struct Lapsing {
  Instant until;
  std::string what, says;
};

void lapsing_approvals(const std::string& name, const EventState& event,
                       std::vector<Lapsing>* out) {
  for (const Approval& approval : event.approvals) {
    out->push_back(
        {approval.until, "approval", fmt::format("{}'s approval of {}", approval.by, name)});
  }
  for (const GlassBreak& glass : event.glass) {
    out->push_back({glass.until, "broken glass",
                    fmt::format("{} broke the glass of {}: {}", glass.by, name, glass.reason)});
  }
}

void lapsing_exceptions(const World& world, std::vector<Lapsing>* out) {
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    for (const ExceptionSpec& each : policy.exceptions) {
      out->push_back({each.until, "exception",
                      fmt::format("{} of policy {} lifts {} from {}{}{}", each.name, manifest.name,
                                  each.rule, each.event.empty() ? "every event" : each.event,
                                  each.reason.empty() ? "" : ": ", each.reason)});
    }
  });
}

json::array lapsing_view(std::vector<Lapsing> all, Instant wall) {
  std::erase_if(all, [&](const Lapsing& each) {
    return each.until <= wall || each.until > wall + kPolicyAhead;
  });
  std::ranges::stable_sort(all, {}, &Lapsing::until);
  json::array out;
  for (Lapsing& each : all) {
    out.push_back(json::object{{"what", std::move(each.what)},
                               {"until", format_instant(each.until)},
                               {"says", std::move(each.says)}});
  }
  return out;
}

json::array freezes_view(const World& world, Instant wall) {
  std::vector<std::pair<Instant, json::object>> found;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    for (const FreezeSpec& freeze : policy.freezes) {
      if (freeze.to <= wall) continue;
      found.emplace_back(freeze.from,
                         json::object{{"policy", manifest.name},
                                      {"freeze", freeze.name},
                                      {"from", format_instant(freeze.from)},
                                      {"to", format_instant(freeze.to)},
                                      {"on", freeze.from <= wall},
                                      {"audit_only", policy.audit_only},
                                      {"owners", json::value_from(freeze.owners)},
                                      {"except_events", json::value_from(freeze.except_events)},
                                      {"reason", freeze.reason}});
    }
  });
  std::ranges::stable_sort(found, {}, [](const auto& each) { return each.first; });
  json::array out;
  for (auto& [from, freeze] : found) out.push_back(std::move(freeze));
  return out;
}

}  // namespace

json::object policy_view(const World& world, Instant now) {
  const Instant wall = world.wall(now);
  json::array approvals, findings, verbs;
  std::vector<Lapsing> lapsing;
  world.events.each([&](const std::string& name, const EventState& event) {
    if (is_over(event.phase)) return;
    const EventState next = with_proposal(event);
    const ApprovalNeed need = approvals_needed(world, next, now);
    if (!need.complete()) approvals.push_back(waiting_view(name, next, need));
    lapsing_approvals(name, event, &lapsing);
    for (const std::string& note : policy_notes(world, event, now))
      findings.push_back(json::object{{"event", name}, {"says", note}});
  });
  lapsing_exceptions(world, &lapsing);
  for (const std::string_view verb : kVerbs) verbs.emplace_back(verb);
  return {{"verbs", std::move(verbs)},
          {"roles", roles_view(world)},
          {"members", members_view(world)},
          {"approvals", std::move(approvals)},
          {"expiring", lapsing_view(std::move(lapsing), wall)},
          {"freezes", freezes_view(world, wall)},
          {"findings", std::move(findings)}};
}

}  // namespace showcaller
