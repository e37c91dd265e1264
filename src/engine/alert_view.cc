// SPDX-License-Identifier: Apache-2.0
#include "engine/alert_view.h"

#include <algorithm>

#include "engine/alert_plan.h"
#include "engine/alert_subjects.h"
#include "engine/on_call.h"

namespace showcaller {
namespace {

json::array texts(const std::vector<std::string>& lines) {
  json::array out;
  for (const std::string& line : lines) out.push_back(json::value(line));
  return out;
}

json::object member_view(const World& world, const AlertMember& member, Instant now) {
  json::object out{{"subject", member.subject}, {"cause", std::string(enum_name(member.cause))}};
  if (!member.detail.empty()) out["detail"] = member.detail;
  out["over"] = !still_stands(world, member, now);
  return out;
}

json::array deliveries_view(const Alert& alert) {
  json::array out;
  for (const auto& [route, delivery] : alert.deliveries)
    out.push_back(json::object{{"route", route},
                               {"change", delivery.change},
                               {"outcome", std::string(enum_name(delivery.outcome))},
                               {"attempts", delivery.attempts},
                               {"detail", delivery.detail},
                               {"at", format_instant(delivery.at)}});
  return out;
}

// The LiveEvent that it is about, or that explains it.
std::string event_named(const Alert& alert) {
  for (const std::string& subject : {alert.own().subject, alert.root}) {
    const auto parts = parse_subject(subject);
    if (parts && parts->kind == Kind::LiveEvent) return parts->name;
  }
  return "";
}

template <class Visit>
void each_alert(const World& world, Visit&& visit) {
  world.alerts.each(visit);
  world.past_alerts.each(visit);
}

}  // namespace

std::string_view alert_state(const Alert& alert) {
  if (!alert.is_open()) return "resolved";
  return alert.is_acknowledged() ? "acknowledged" : "firing";
}

json::object alert_view(const World& world, const std::string& id, const Alert& alert,
                        Instant now) {
  json::object out{{"id", id},
                   {"subject", alert.own().subject},
                   {"cause", std::string(enum_name(alert.own().cause))},
                   {"state", std::string(alert_state(alert))},
                   {"severity", std::string(enum_name(alert.severity))},
                   {"opened_at", format_instant(alert.opened)},
                   {"team", alert.team},
                   {"owner", alert.owner},
                   {"text", alert.text},
                   {"next_steps", texts(alert.next_steps)},
                   {"runbook", alert.runbook},
                   {"root", alert.root},
                   {"event", event_named(alert)},
                   {"players_at_risk", alert.players_at_risk},
                   {"burn", double(alert.burn_milli) / 1000},
                   {"acknowledged_by", alert.acknowledged_by},
                   {"level", alert.level},
                   {"silenced_by", silence_of(world, alert, now).value_or("")}};
  if (!alert.latest.empty()) out["latest"] = alert.latest;
  out["slo"] = alert.own().cause == AlertCause::Burn ? alert.own().detail : "";
  if (!alert.own().detail.empty()) out["detail"] = alert.own().detail;
  if (alert.is_acknowledged()) out["acknowledged_at"] = format_instant(alert.acknowledged);
  if (const auto due = escalates_at(world, alert)) out["escalates_at"] = format_instant(*due);
  if (!alert.is_open()) {
    out["resolved_at"] = format_instant(alert.resolved);
    out["resolved_reason"] = alert.resolved_reason;
  }
  if (!alert.absorbed_by.empty()) out["absorbed_by"] = alert.absorbed_by;
  json::array group;
  for (const AlertMember& member : alert.members) group.push_back(member_view(world, member, now));
  out["group"] = std::move(group);
  out["deliveries"] = deliveries_view(alert);
  return out;
}

json::array alerts_view(const World& world, std::string_view state, Instant now) {
  struct Line {
    Instant opened;
    std::string id;
    const Alert* alert;
  };
  std::vector<Line> lines;
  each_alert(world, [&](const std::string& id, const Alert& alert) {
    if (state.empty() || state == alert_state(alert)) lines.push_back({alert.opened, id, &alert});
  });
  std::ranges::sort(lines, [](const Line& a, const Line& b) {
    return std::tie(b.opened, b.id) < std::tie(a.opened, a.id);
  });
  json::array out;
  for (const Line& line : lines) out.push_back(alert_view(world, line.id, *line.alert, now));
  return out;
}

json::array silences_view(const World& world) {
  json::array out;
  world.silences.each([&](const std::string& id, const Silence& silence) {
    json::object line{{"id", id},
                      {"subject", silence.subject},
                      {"event", silence.event},
                      {"by", silence.actor},
                      {"reason", silence.reason},
                      {"since", format_instant(silence.since)}};
    if (silence.until != Instant{}) line["until"] = format_instant(silence.until);
    out.push_back(std::move(line));
  });
  return out;
}

json::array dead_letters_view(const World& world) {
  json::array out;
  each_alert(world, [&](const std::string& id, const Alert& alert) {
    for (const auto& [route, delivery] : alert.deliveries) {
      if (delivery.outcome != DeliveryOutcome::Dead) continue;
      out.push_back(json::object{{"alert", id},
                                 {"route", route},
                                 {"change", delivery.change},
                                 {"attempts", delivery.attempts},
                                 {"detail", delivery.detail},
                                 {"at", format_instant(delivery.at)}});
    }
  });
  return out;
}

}  // namespace showcaller
