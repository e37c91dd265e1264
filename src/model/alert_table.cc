// SPDX-License-Identifier: Apache-2.0
#include "model/alert_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace showcaller {
namespace {

std::unexpected<Error> no_alert(const std::string& id) {
  return fail(ErrorCode::Corrupt,
              fmt::format("a record speaks of the alert '{}', which is not in the world", id));
}

void forget_the_oldest(World* world) {
  if (world->past_alerts.size() <= kPastAlertsMax) return;
  std::string oldest;
  Instant at = Instant::max();
  world->past_alerts.each([&](const std::string& id, const Alert& alert) {
    if (alert.resolved >= at) return;
    at = alert.resolved;
    oldest = id;
  });
  world->past_alerts.erase(oldest);
}

Status end_alert(World* world, const std::string& id, std::string reason, std::string absorbed_by,
                 Instant now) {
  const Alert* open = world->alerts.find(id);
  if (!open) return no_alert(id);
  Alert alert = *open;
  alert.resolved = now;
  alert.resolved_reason = std::move(reason);
  alert.absorbed_by = std::move(absorbed_by);
  ++alert.change;
  world->alerts.erase(id);
  world->past_alerts[id] = std::move(alert);
  forget_the_oldest(world);
  return {};
}

Status absorb(World* world, const std::vector<std::string>& ids, const std::string& into,
              Instant now) {
  for (const std::string& id : ids)
    TRY(end_alert(world, id, fmt::format("it is part of {}", into), into, now));
  return {};
}

void group(Alert* alert, const std::vector<AlertMember>& members) {
  for (const AlertMember& member : members) {
    const auto known = std::ranges::find_if(
        alert->members, [&](const AlertMember& m) { return m.is_same_as(member); });
    if (known != alert->members.end())
      *known = member;
    else if (alert->members.size() < kAlertMembersMax)
      alert->members.push_back(member);
  }
}

}  // namespace

std::string alert_id(std::uint64_t seq, const std::string& lineage) {
  return fmt::format("a{}{}{}", seq, lineage.empty() ? "" : "-", lineage);
}

std::string silence_id(std::uint64_t seq, const std::string& lineage) {
  return fmt::format("s{}{}{}", seq, lineage.empty() ? "" : "-", lineage);
}

const Alert* World::alert(std::string_view id) const {
  const Alert* open = alerts.find(id);
  return open ? open : past_alerts.find(id);
}

Status open_alert(World* world, const AlertOpened& opened, const std::string& id, Instant now) {
  Alert alert;
  alert.members = {{opened.subject, opened.cause, opened.detail, false}};
  alert.root = opened.subject;
  alert.severity = opened.severity;
  alert.team = opened.team;
  alert.owner = opened.owner;
  alert.called = {opened.team};
  alert.text = opened.text;
  alert.runbook = opened.runbook;
  alert.next_steps = opened.next_steps;
  alert.players_at_risk = opened.players_at_risk;
  alert.burn_milli = opened.burn_milli;
  alert.opened = alert.grouped = alert.level_since = now;
  for (const std::string& absorbed : opened.absorbs) {
    if (const Alert* other = world->alerts.find(absorbed)) group(&alert, other->members);
  }
  TRY(absorb(world, opened.absorbs, id, now));
  world->alerts[id] = std::move(alert);
  return {};
}

Status change_alert(World* world, const AlertChanged& changed, const std::string& actor,
                    Instant now) {
  if (changed.move == AlertMove::Resolved)
    return end_alert(world, changed.id, changed.reason, {}, now);
  Alert* alert = world->alerts.edit(changed.id);
  if (!alert) return no_alert(changed.id);
  switch (changed.move) {
    case AlertMove::Acknowledged:
      alert->acknowledged = now;
      alert->acknowledged_by = actor;
      break;
    case AlertMove::Escalated:
      alert->level = changed.level;
      alert->level_since = now;
      alert->team = changed.team;
      alert->owner = changed.owner;
      if (std::ranges::find(alert->called, changed.team) == alert->called.end())
        alert->called.push_back(changed.team);
      break;
    case AlertMove::Owned:
      alert->owner = changed.owner;
      alert->level_since = now;
      break;
    case AlertMove::Worsened:
      alert->severity = AlertSeverity::Page;
      alert->acknowledged = {};
      alert->acknowledged_by.clear();
      alert->level_since = now;
      break;
    case AlertMove::Grouped: {
      std::vector<AlertMember> members = changed.members;
      for (const std::string& id : changed.absorbs) {
        const Alert* other = world->alerts.find(id);
        if (other) members.insert(members.end(), other->members.begin(), other->members.end());
      }
      group(alert, members);
      alert->grouped = now;
      if (!changed.root.empty()) alert->root = changed.root;
      if (changed.told) {
        alert->latest = changed.reason;
        ++alert->change;
      }
      return absorb(world, changed.absorbs, changed.id, now);
    }
    case AlertMove::Eased:
      group(alert, changed.members);
      return {};
    case AlertMove::Resolved:
      break;
  }
  ++alert->change;
  return {};
}

Status note_delivery(World* world, const AlertDelivered& delivered, Instant now) {
  Alert* alert = world->alerts.edit(delivered.id);
  if (!alert) alert = world->past_alerts.edit(delivered.id);
  if (!alert) return {};  // Forgotten since: nobody asks for it.
  alert->deliveries[delivered.route] = {delivered.change, delivered.outcome, delivered.attempts,
                                        delivered.detail, now};
  return {};
}

void restart_escalation(World* world, const std::string& subject, Instant now) {
  std::vector<std::string> concerned;
  world->alerts.each([&](const std::string& id, const Alert& alert) {
    if (std::ranges::any_of(alert.members,
                            [&](const AlertMember& m) { return m.subject == subject; }))
      concerned.push_back(id);
  });
  for (const std::string& id : concerned) world->alerts[id].level_since = now;
}

}  // namespace showcaller
