// SPDX-License-Identifier: Apache-2.0
#include "policy/freezes.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/deliberate_bug.h"
#include "policy/access.h"
#include "policy/approvals.h"
#include "policy/break_glass.h"
#include "policy/gate_proofs.h"
#include "policy/names.h"
#include "policy/policies.h"
#include "policy/quotas.h"

namespace showcaller {
namespace {

bool is_for_owner(const FreezeSpec& freeze, std::string_view owner) {
  return freeze.owners.empty() || contains(freeze.owners, owner);
}

bool concerns(const FreezeSpec& freeze, const EventState& event) {
  return showcaller::concerns(freeze, event.manifest->owner, event.manifest->name);
}

bool is_on(const FreezeSpec& freeze, Instant now) {
  return freeze.from <= now && now < freeze.to;
}

std::string sentence(const FreezeSpec& freeze, const std::string& policy, const EventState& event) {
  return fmt::format(
      "{} is frozen until {} by '{}' of policy '{}'{}{}; wait, or have an exception for it applied",
      event.manifest->name, format_instant(freeze.to), freeze.name, policy,
      freeze.reason.empty() ? "" : ": ", freeze.reason);
}

std::vector<std::string> fleets_of(const EventState& event) {
  std::vector<std::string> fleets;
  for (const Change& change : event.spec().changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what)) fleets.push_back(build->fleet);
  }
  return fleets;
}

std::vector<std::string> scopes_of(const EventState& event) {
  std::vector<std::string> scopes{"", "owner/" + event.manifest->owner,
                                  "event/" + event.manifest->name};
  for (const std::string& fleet : fleets_of(event)) scopes.push_back("fleet/" + fleet);
  return scopes;
}

bool is_toward_exposure(const EventCommand& command) {
  switch (command.verb) {
    case EventVerb::Resume:
    case EventVerb::Promote:
    case EventVerb::Undivert:
      return true;
    case EventVerb::Pace:
      return command.pace_per_minute == 0;
    default:
      return false;
  }
}

}  // namespace

std::optional<std::string> frozen(const World& world, const EventState& event, Instant now) {
  if (broken_glass(event, now) || broken(DeliberateBug::FreezeIgnored)) return std::nullopt;
  now = world.wall(now);  // Freezes and exceptions are dates.
  const FreezeSpec* longest = nullptr;
  std::string policy_name;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    if (policy.audit_only) return;
    for (const FreezeSpec& freeze : policy.freezes) {
      if (!is_on(freeze, now) || !concerns(freeze, event)) continue;
      if (exception_for(policy, freeze.name, event.manifest->name, now)) continue;
      if (longest && longest->to >= freeze.to) continue;
      longest = &freeze;
      policy_name = manifest.name;
    }
  });
  if (!longest) return std::nullopt;
  return sentence(*longest, policy_name, event);
}

bool concerns(const FreezeSpec& freeze, std::string_view owner, std::string_view event) {
  return is_for_owner(freeze, owner) && !contains(freeze.except_events, event);
}

std::vector<PlannedFreeze> freezes_ahead(const World& world, Instant wall) {
  std::vector<PlannedFreeze> out;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    for (const FreezeSpec& freeze : policy.freezes) {
      if (freeze.to > wall) out.push_back({&freeze, &policy, manifest.name, policy.audit_only});
    }
  });
  return out;
}

std::vector<std::string> freeze_notes(const World& world, const EventState& event, Instant now) {
  now = world.wall(now);
  std::vector<std::string> notes;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    for (const FreezeSpec& freeze : policy.freezes) {
      if (!is_on(freeze, now) || !concerns(freeze, event)) continue;
      if (const auto* e = exception_for(policy, freeze.name, event.manifest->name, now)) {
        notes.push_back(fmt::format("freeze '{}' is lifted from {} by exception '{}' until {}: {}",
                                    freeze.name, event.manifest->name, e->name,
                                    format_instant(e->until), e->reason));
      } else if (policy.audit_only) {
        notes.push_back("audit mode, nothing is refused: " +
                        sentence(freeze, manifest.name, event));
      }
    }
  });
  return notes;
}

std::vector<std::string> policy_notes(const World& world, const EventState& event, Instant now) {
  std::vector<std::string> notes = approvals_needed(world, event, now).notes;
  for (std::string& note : freeze_notes(world, event, now)) notes.push_back(std::move(note));
  for (std::string& note : quota_notes(world, event.manifest->name, now))
    notes.push_back(std::move(note));
  for (std::string& note : gate_notes(world, event)) notes.push_back(std::move(note));
  return notes;
}

namespace {

std::optional<std::string> stopped_scope(const World& world,
                                         const std::vector<std::string>& scopes) {
  if (world.lines.empty() || broken(DeliberateBug::StoppedLineIgnored)) return std::nullopt;
  for (const std::string& scope : scopes) {
    const StoppedLine* line = world.lines.find(scope);
    if (!line) continue;
    return fmt::format(
        "the line {} was stopped by '{}' at {}{}{}; `showcaller resume-the-line{}{}` when it is "
        "safe",
        scope.empty() ? "of the whole house" : "of " + scope, line->actor,
        format_instant(line->since), line->reason.empty() ? "" : ": ", line->reason,
        scope.empty() ? "" : " ", scope);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> line_stopped(const World& world, const EventState& event) {
  return stopped_scope(world, scopes_of(event));
}

std::optional<std::string> owner_blocked(const World& world, std::string_view owner, Instant now) {
  if (auto why = stopped_scope(world, {"", fmt::format("owner/{}", owner)})) return why;
  std::optional<std::string> why;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    if (policy.audit_only) return;
    for (const FreezeSpec& freeze : policy.freezes) {
      if (!is_on(freeze, world.wall(now)) || !is_for_owner(freeze, owner)) continue;
      why = fmt::format("what {} owns is frozen until {} by '{}' of policy '{}'{}{}; wait", owner,
                        format_instant(freeze.to), freeze.name, manifest.name,
                        freeze.reason.empty() ? "" : ": ", freeze.reason);
    }
  });
  return why;
}

Status check_line_scope(std::string_view scope) {
  if (scope.empty()) return {};
  for (const std::string_view prefix : {"owner/", "fleet/", "event/"}) {
    if (scope.starts_with(prefix) && scope.size() > prefix.size()) return {};
  }
  return fail(
      ErrorCode::Invalid,
      fmt::format(
          "'{}' is no scope; use owner/NAME, fleet/NAME, event/NAME, or nothing for everything",
          scope));
}

std::string line_owner(const World& world, std::string_view scope) {
  const std::size_t slash = scope.find('/');
  if (slash == std::string_view::npos) return "";
  const std::string_view kind = scope.substr(0, slash);
  const std::string_view name = scope.substr(slash + 1);
  if (kind == "owner") return std::string(name);
  if (kind == "event") {
    const EventState* event = world.event(name);
    return event ? event->manifest->owner : "";
  }
  const auto fleet = world.manifest(Kind::Fleet, name);
  return fleet ? fleet->owner : "";
}

namespace {

std::optional<std::string> stopped_or_frozen(const World& world, const EventState& event,
                                             Instant now) {
  if (auto why = line_stopped(world, event)) return why;
  return frozen(world, event, now);
}

std::optional<std::string> unapproved(const World& world, const EventState& event, Instant now) {
  if (!event.proposed) return std::nullopt;
  const EventState next = with_proposal(event);
  const ApprovalNeed need = approvals_needed(world, next, now);
  if (need.complete()) return std::nullopt;
  return fmt::format("r{} of {} waits beside r{} for its approvals: {}", next.revision,
                     next.manifest->name, event.revision, need.missing.front());
}

// Applying what is in force changes nothing, or withdraws what is proposed.
bool revises_what_admits(const EventState& event, const Manifest& next) {
  return may_admit(event.phase) && event.manifest->hash != next.hash;
}

Status refuse_if(std::optional<std::string> why) {
  if (why) return fail(ErrorCode::Conflict, *std::move(why));
  return {};
}

}  // namespace

std::optional<std::string> exposure_blocked(const World& world, const EventState& event,
                                            Instant now) {
  if (auto why = stopped_or_frozen(world, event, now)) return why;
  return unapproved(world, event, now);
}

Status permit(const World& world, const CommandBody& command, Instant now) {
  if (is_toward_safety(command)) return {};
  if (const auto* on_event = std::get_if<EventCommand>(&command)) {
    const EventState* event = world.event(on_event->event);  // If there is none, others say so.
    if (event && is_toward_exposure(*on_event))
      return refuse_if(exposure_blocked(world, *event, now));
  }
  if (const auto* flag = std::get_if<FlagCommand>(&command)) {
    return refuse_if(owner_blocked(world, flag_owner(world, flag->flag), now));
  }
  if (const auto* feature = std::get_if<FeatureCommand>(&command)) {
    const auto manifest = world.manifest(Kind::Service, feature->service);
    return refuse_if(owner_blocked(world, manifest ? manifest->owner : "", now));
  }
  if (const auto* apply = std::get_if<ApplyCommand>(&command)) {
    for (const auto& manifest : apply->manifests) {
      if (manifest->kind() != Kind::LiveEvent) continue;
      const EventState* event = world.event(manifest->name);
      if (event && revises_what_admits(*event, *manifest))
        TRY(refuse_if(stopped_or_frozen(world, *event, now)));
    }
  }
  return {};
}

}  // namespace showcaller
