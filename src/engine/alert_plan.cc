// SPDX-License-Identifier: Apache-2.0
#include "engine/alert_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/alert_subjects.h"
#include "engine/on_call.h"

namespace showcaller {
namespace {

AlertMember member_of(const AlertOpened& opened) {
  return {opened.subject, opened.cause, opened.detail, false};
}

// Some ask a question of their own, whatever else goes wrong: they are told apart.
bool may_be_part(const AlertMember& member) {
  switch (member.cause) {
    case AlertCause::RollbackStuck:
    case AlertCause::BreakGlass:
      return false;
    case AlertCause::Held:
      return member.detail == enum_name(HoldCause::Gate) ||
             member.detail == enum_name(HoldCause::Readiness);
    default:
      return true;
  }
}

void complete(const World& world, AlertOpened* draft, Instant now) {
  if (draft->team.empty()) draft->team = team_of(world, draft->subject);
  draft->owner = first_called(world, draft->team, now).person;
  if (draft->runbook.empty()) draft->runbook = runbook_of(world, draft->subject);
  const auto parts = parse_subject(draft->subject);
  if (!draft->next_steps.empty() || !parts) return;
  if (parts->kind == Kind::LiveEvent) {
    draft->next_steps = {"showcaller explain " + parts->name, "showcaller status " + parts->name};
  } else {
    draft->next_steps = {"showcaller status", "showcaller get fleets"};
  }
}

// Open alerts that the member hangs together with, the oldest first; and whether it explains them.
struct Related {
  std::vector<std::string> ids;
  bool explains = false;  // the oldest one's root
};
Related related_to(const World& world, const AlertMember& member, Instant now) {
  struct Found {
    std::string id;
    Instant opened{};
    bool explained = false;
  };
  std::vector<Found> found;
  const auto above = upstream_of(world, member.subject);
  world.alerts.each([&](const std::string& id, const Alert& alert) {
    if (now - alert.grouped > kGroupsWithin || !may_be_part(alert.own())) return;
    const bool below = upstream_of(world, alert.root).contains(member.subject);
    const bool hangs = std::ranges::any_of(alert.members, [&](const AlertMember& other) {
      return above.contains(other.subject) ||
             upstream_of(world, other.subject).contains(member.subject);
    });
    if (hangs) found.push_back({id, alert.opened, below && alert.root != member.subject});
  });
  std::ranges::sort(found, [](const Found& a, const Found& b) {
    return std::pair(a.opened, a.id) < std::pair(b.opened, b.id);
  });
  Related out;
  for (Found& each : found) out.ids.push_back(std::move(each.id));
  out.explains = !found.empty() && found.front().explained;
  return out;
}

// A cause that nothing of the alert shows now: what is told of once is not told again for the next
// instance, build or objective.
bool is_news_to(const World& world, const Alert& alert, const AlertOpened& draft, Instant now) {
  return std::ranges::none_of(alert.members, [&](const AlertMember& member) {
    return member.cause == draft.cause && still_stands(world, member, now);
  });
}

std::vector<Payload> add_to(const World& world, const AlertOpened& draft, Related related,
                            Instant now) {
  AlertChanged grouped{.id = related.ids.front(), .move = AlertMove::Grouped};
  grouped.reason = draft.text;
  grouped.members = {member_of(draft)};
  grouped.absorbs.assign(related.ids.begin() + 1, related.ids.end());
  if (related.explains) grouped.root = draft.subject;
  const Alert& alert = *world.alerts.find(grouped.id);
  grouped.told = is_news_to(world, alert, draft, now);
  std::vector<Payload> out{std::move(grouped)};
  const bool pages = draft.severity == AlertSeverity::Page ||
                     std::ranges::any_of(related.ids, [&](const std::string& id) {
                       return world.alerts.find(id)->severity == AlertSeverity::Page;
                     });
  if (pages && alert.severity != AlertSeverity::Page) {
    out.push_back(
        AlertChanged{.id = related.ids.front(), .move = AlertMove::Worsened, .reason = draft.text});
  }
  return out;
}

// A rollback that is stuck is what has become of the rollback.
std::vector<std::string> continues(const World& world, const AlertOpened& draft) {
  std::vector<std::string> out;
  if (draft.cause != AlertCause::RollbackStuck) return out;
  world.alerts.each([&](const std::string& id, const Alert& alert) {
    if (alert.own().subject == draft.subject && alert.own().cause == AlertCause::Rollback)
      out.push_back(id);
  });
  return out;
}

bool silence_holds(const Silence& silence, Instant now) {
  return silence.until == Instant{} || now < silence.until;
}

std::string why_over(const World& world, const Silence& silence, Instant now) {
  if (!silence_holds(silence, now)) return "its time is over";
  const EventState* event = silence.event.empty() ? nullptr : world.event(silence.event);
  // What it disturbs while it is undone is not what it declared.
  if (silence.event.empty() || (event && event->phase <= Phase::Live)) return "";
  return fmt::format("LiveEvent '{}' is {}", silence.event,
                     event ? enum_name(event->phase) : "not there");
}

void end_silences(const World& world, Instant now, std::vector<Payload>* out) {
  world.silences.each([&](const std::string& id, const Silence& silence) {
    if (std::string why = why_over(world, silence, now); !why.empty())
      out->push_back(SilenceEnded{id, std::move(why)});
  });
}

void escalate(const World& world, const std::string& id, const Alert& alert, Instant now,
              std::vector<Payload>* out) {
  const auto due = escalates_at(world, alert);
  if (!due || now < *due || silence_of(world, alert, now)) return;
  const auto next = next_called(world, alert.called.front(), alert.level + 1, now);
  if (!next) return;
  AlertChanged changed{.id = id, .move = AlertMove::Escalated};
  changed.reason =
      fmt::format("nobody acknowledged it in {}", format_duration(*due - alert.level_since));
  changed.level = alert.level + 1;
  changed.team = next->team;
  changed.owner = next->person;
  out->push_back(std::move(changed));
}

// Whether somebody still looks at what burned: its objective is there, and its event is on.
bool is_watched(const World& world, const AlertMember& member) {
  constexpr std::string_view kOf = " of Service/";
  const auto subject = parse_subject(member.subject);
  if (!subject) return false;
  std::string service = subject->name, slo = member.detail;
  if (subject->kind == Kind::LiveEvent) {
    const EventState* event = world.event(subject->name);
    if (!event || !(may_admit(event->phase) || event->phase == Phase::Settling)) return false;
    const std::size_t of = slo.find(kOf);
    if (of == std::string::npos) return false;
    service = slo.substr(of + kOf.size());
    slo.resize(of);
  }
  const auto manifest = world.manifest(Kind::Service, service);
  return manifest && std::ranges::any_of(manifest->as<ServiceSpec>().slos,
                                         [&](const SloSpec& each) { return each.name == slo; });
}

}  // namespace

bool calls_somebody(const Payload& payload) {
  if (const auto* opened = std::get_if<AlertOpened>(&payload))
    return opened->severity == AlertSeverity::Page;
  const auto* changed = std::get_if<AlertChanged>(&payload);
  return std::holds_alternative<PageRaised>(payload) ||
         (changed && changed->move == AlertMove::Worsened);
}

std::optional<AlertPlace> alert_with(const World& world, const AlertMember& member) {
  std::optional<AlertPlace> out;
  world.alerts.each([&](const std::string& id, const Alert& alert) {
    for (const AlertMember& own : alert.members) {
      if (own.is_same_as(member)) out = AlertPlace{id, &alert, &own};
    }
  });
  return out;
}

std::vector<Payload> raise_alert(const World& world, AlertOpened draft, Instant now) {
  const AlertMember member = member_of(draft);
  if (const auto known = alert_with(world, member)) {
    std::vector<Payload> out;
    const bool again = !still_stands(world, *known->member, now);
    if (again)
      out.push_back(AlertChanged{
          .id = known->id, .move = AlertMove::Grouped, .reason = draft.text, .members = {member}});
    // Whoever took what came before for done is called for what comes again.
    const bool unnoticed = again && known->alert->is_acknowledged();
    if (draft.severity == AlertSeverity::Page &&
        (unnoticed || known->alert->severity != AlertSeverity::Page))
      out.push_back(
          AlertChanged{.id = known->id, .move = AlertMove::Worsened, .reason = draft.text});
    return out;
  }
  complete(world, &draft, now);
  if (may_be_part(member)) {
    Related related = related_to(world, member, now);
    if (!related.ids.empty()) return add_to(world, draft, std::move(related), now);
  }
  draft.absorbs = continues(world, draft);
  return {std::move(draft)};
}

bool still_stands(const World& world, const AlertMember& member, Instant now) {
  if (member.cause == AlertCause::Burn) return !member.over && is_watched(world, member);
  const auto parts = parse_subject(member.subject);
  if (!parts) return false;
  if (member.cause == AlertCause::Instances) {
    bool isolated = false;
    world.quarantines.each_from(parts->name + "/", [&](const std::string& key,
                                                       const Quarantine& q) {
      if (!key.starts_with(parts->name + "/")) return false;
      const bool one = key.starts_with(quarantine_key(QuarantineScope::Instance, parts->name, ""));
      isolated |= !one && (q.until == Instant{} || now < q.until);
      return true;
    });
    return isolated;
  }
  const EventState* event = world.event(parts->name);
  if (!event) return false;
  switch (member.cause) {
    case AlertCause::Rollback:
      return event->phase == Phase::RollingBack || event->phase == Phase::RollbackStuck;
    case AlertCause::RollbackStuck:
      return event->phase == Phase::RollbackStuck;
    case AlertCause::Held:
      return event->hold && !is_over(event->phase) && enum_name(event->hold->by) == member.detail;
    case AlertCause::Gate:
      return may_admit(event->phase) &&
             (event->paced_by_gate || std::ranges::any_of(event->gates, [&](const auto& gate) {
                return (member.detail.empty() || gate.first == member.detail) &&
                       gate.second.verdict == VerdictName::Fail &&
                       gate.second.visit == event->visit;
              }));
    case AlertCause::BreakGlass:
      return std::ranges::any_of(event->glass, [&](const GlassBreak& part) {
        return part.by == member.detail && now < part.until;
      });
    default:
      return false;
  }
}

std::optional<std::string> silence_of(const World& world, const Alert& alert, Instant now) {
  if (world.silences.size() == 0) return std::nullopt;
  std::optional<std::string> out;
  for (const AlertMember& member : alert.members) {
    if (!still_stands(world, member, now) && &member != &alert.members.front()) continue;
    std::optional<std::string> covered;
    world.silences.each([&](const std::string& id, const Silence& silence) {
      if (silence.subject == member.subject && silence_holds(silence, now)) covered = id;
    });
    if (!covered) return std::nullopt;
    if (!out) out = std::move(covered);
  }
  return out;
}

std::vector<Payload> follow_alerts(const World& world, Instant now) {
  std::vector<Payload> out;
  end_silences(world, now, &out);
  if (!out.empty()) return out;
  world.alerts.each([&](const std::string& id, const Alert& alert) {
    const bool stands = std::ranges::any_of(
        alert.members, [&](const AlertMember& m) { return still_stands(world, m, now); });
    if (stands) return escalate(world, id, alert, now, &out);
    out.push_back(AlertChanged{.id = id, .move = AlertMove::Resolved, .reason = "it is over"});
  });
  return out;
}

}  // namespace showcaller
