// SPDX-License-Identifier: Apache-2.0
#include "engine/incident_view.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/alert_view.h"
#include "engine/view.h"

namespace showcaller {
namespace {

constexpr std::size_t kSimilarMax = 20;

void tell_span(json::object* out, const std::string& key, Duration span) {
  (*out)[key] = format_duration(std::max(span, Duration{}));
  (*out)[key + "_s"] = double(std::max(span, Duration{}).count()) / 1000;
}

double rounded_score(double value) {
  return std::round(value * 1000) / 1000;
}

json::object suspect_line(const Suspect& suspect) {
  return {{"seq", suspect.seq},
          {"at", format_instant(suspect.at)},
          {"by", suspect.by},
          {"what", suspect.what},
          {"score", rounded_score(suspect.score())},
          {"nearness", rounded_score(suspect.nearness)},
          {"overlap", rounded_score(suspect.overlap)},
          {"evidence_moved_after", suspect.moved_after},
          {"common", json::value_from(suspect.common)}};
}

json::object action(std::string_view verb, std::string_view says, std::string target,
                    json::object body = {}) {
  json::object out{{"do", verb}, {"says", says}, {"target", std::move(target)}};
  if (!body.empty()) out["body"] = std::move(body);
  return out;
}

void event_actions(const World& world, const std::string& name, json::array* out) {
  const EventState* event = world.event(name);
  if (!event || is_over(event->phase)) return;
  const auto offer = [&](std::string_view verb, std::string_view says) {
    out->push_back(action(verb, says, fmt::format("/api/v1/events/{}/{}", name, verb)));
  };
  if (event->phase == Phase::RollbackStuck) offer("rollback", "Try the rollback again");
  if (event->phase == Phase::RollingBack || event->phase == Phase::RollbackStuck) return;
  offer(event->hold ? "resume" : "hold", event->hold ? "Resume it" : "Hold it");
  if (may_admit(event->phase)) offer("rollback", "Roll it back");
}

void quarantine_action(const Incident& incident, json::array* out) {
  const std::string fleet = incident.owner.substr(incident.owner.find('/') + 1);
  const std::size_t slash = incident.subject.find('/');
  const std::string scope = incident.subject.substr(0, slash);
  std::string subject = incident.subject.substr(slash + 1);
  if (scope == "build" || scope == "instance") subject = subject.substr(fleet.size() + 1);
  out->push_back(action("release", "Release the quarantine", "/api/v1/quarantines/release",
                        {{"scope", scope}, {"fleet", fleet}, {"subject", subject}}));
}

void alert_actions(const World& world, const std::string& id, json::array* out) {
  const Alert* alert = world.alert(id);
  if (!alert || !alert->is_open()) return;
  const std::string target = "/api/v1/alerts/" + id;
  if (!alert->is_acknowledged())
    out->push_back(action("acknowledge", "Acknowledge the alert", target + "/acknowledge"));
  out->push_back(action("silence", "Silence it for an hour", "/api/v1/silences",
                        {{"subject", alert->own().subject}, {"for", "1h"}}));
  out->push_back(action("resolve", "Resolve the alert", target + "/resolve"));
}

// Commands that may help now, as the API takes them; a dry run says which of them would be refused.
json::array actions_of(const World& world, const Incident& incident, Instant now) {
  json::array out;
  const IncidentState state = incident.state_at(now);
  const bool goes_on = state == IncidentState::Open || state == IncidentState::Stuck;
  alert_actions(world, incident.alert, &out);
  if (!goes_on) return out;  // What runs by now is another revision.
  if (incident.subject.starts_with("event/"))
    event_actions(world, incident.subject.substr(6), &out);
  if (incident.kind == IncidentKind::Quarantine) quarantine_action(incident, &out);
  return out;
}

// Of the revision that it was about.
json::object exposed_of(const EventState& event, const Incident& incident) {
  json::object out{{"revision", incident.revision}};
  if (const LedgerStanding* ledger = event.ledger_of(incident.revision)) {
    out["players"] = ledger->players;
    out["rows"] = ledger->rows;
    out["says"] = fmt::format("{} players may have been exposed ({} rows; the ledger is sealed)",
                              ledger->players, ledger->rows);
    return out;
  }
  out["sessions"] = event.revision == incident.revision ? event.sessions_canary : 0;
  out["says"] = fmt::format("{} sessions of the canary so far; the ledger is not sealed yet",
                            get_int(out, "sessions"));
  return out;
}

void tell_event(const World& world, const Incident& incident, json::object* out) {
  if (!incident.subject.starts_with("event/")) return;
  const std::string name = incident.subject.substr(6);
  const EventState* event = world.event(name);
  if (!event) return;
  (*out)["event"] = event_line(name, *event);
  (*out)["exposed"] = exposed_of(*event, incident);
  if (!event->spec().runbook.empty()) (*out)["runbook"] = event->spec().runbook;
}

}  // namespace

json::object incident_line(const Incident& incident, Instant now) {
  const IncidentState state = incident.state_at(now);
  json::object out{{"id", incident.id},
                   {"kind", enum_name(incident.kind)},
                   {"state", enum_name(state)},
                   {"subject", incident.subject},
                   {"title", incident.title},
                   {"cause", incident.cause},
                   {"team", incident.team},
                   {"began", format_instant(incident.began)},
                   {"opened", format_instant(incident.opened)}};
  tell_span(&out, "detected_after", incident.opened - incident.began);
  if (state == IncidentState::Over) {
    out["ended"] = format_instant(incident.ended_at(now));
    tell_span(&out, "recovered_after", incident.ended_at(now) - incident.opened);
  }
  return out;
}

json::array incidents_view(const IncidentBook& book, Instant now) {
  json::array out;
  for (auto at = book.incidents().rbegin(); at != book.incidents().rend(); ++at)
    out.push_back(incident_line(*at, now));
  return out;
}

json::object incident_view(const World& world, const IncidentBook& book, const Incident& incident,
                           Instant now) {
  json::object out = incident_line(incident, now);
  json::array records, suspects, similar;
  for (const IncidentLine& line : incident.lines)
    records.push_back(json::object{{"seq", line.seq},
                                   {"time", format_instant(line.at)},
                                   {"by", line.by},
                                   {"line", line.what}});
  for (const Suspect& suspect : incident.suspects) suspects.push_back(suspect_line(suspect));
  for (const Incident* other : book.similar_to(incident, kSimilarMax))
    similar.push_back(incident_line(*other, now));
  out["records"] = std::move(records);
  out["suspects"] = std::move(suspects);
  out["similar"] = std::move(similar);
  out["next_steps"] = json::value_from(incident.next_steps);
  if (!incident.runbook.empty()) out["runbook"] = incident.runbook;
  if (const Alert* alert = world.alert(incident.alert))
    out["alert"] = alert_view(world, incident.alert, *alert, now);
  tell_event(world, incident, &out);
  if (incident.team.empty() && incident.owner.starts_with("fleet/")) {
    const auto fleet = world.manifest(Kind::Fleet, incident.owner.substr(6));
    if (fleet) out["team"] = fleet->owner;
  }
  out["actions"] = actions_of(world, incident, now);
  return out;
}

}  // namespace showcaller
