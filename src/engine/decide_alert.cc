// SPDX-License-Identifier: Apache-2.0
// What people do about alerts, and what opens them beside the moves of events: instances that fail,
// and error budgets that burn.
#include <algorithm>

#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/alert_plan.h"
#include "engine/alert_subjects.h"
#include "engine/burn_severity.h"
#include "engine/decide_parts.h"

namespace showcaller {
namespace {

constexpr Duration kSilenceMax = hours(24 * 30);

Result<const Alert*> open_alert_of(const World& world, const std::string& id) {
  if (const Alert* open = world.alerts.find(id)) return open;
  const Alert* past = world.past_alerts.find(id);
  if (!past) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no alert '{}'; `showcaller alert list` shows them", id));
  }
  return fail(ErrorCode::Conflict,
              fmt::format("alert '{}' was resolved at {}: {}", id, format_instant(past->resolved),
                          past->resolved_reason));
}

bool burns(const World& world, const Alert& alert, Instant now) {
  return std::ranges::any_of(alert.members, [&](const AlertMember& member) {
    return member.cause == AlertCause::Burn && still_stands(world, member, now);
  });
}

const SloSpec* slo_of(const World& world, const BurnReading& reading) {
  const auto manifest = world.manifest(Kind::Service, reading.service);
  if (!manifest) return nullptr;
  const auto& slos = manifest->as<ServiceSpec>().slos;
  const auto at = std::ranges::find(slos, reading.slo, &SloSpec::name);
  return at == slos.end() || at->burn.size() != reading.rules.size() ? nullptr : &*at;
}

AlertMember burning_member(const BurnReading& reading) {
  if (reading.event.empty())
    return {subject_name(Kind::Service, reading.service), AlertCause::Burn, reading.slo, false};
  return {subject_name(Kind::LiveEvent, reading.event), AlertCause::Burn,
          fmt::format("{} of Service/{}", reading.slo, reading.service), false};
}

std::string percent_of(double share) {
  return fmt::format("{:.3g}%", 100 * share);
}

// A page has told of what burns on in the long windows of tickets.
bool was_told(const World& world, const AlertMember& member, const SloSpec& slo,
              const Burning& burning, Instant now) {
  if (!burning.rule || slo.burn[*burning.rule].severity == AlertSeverity::Page) return false;
  const BurnRule& rule = slo.burn[*burning.rule];
  bool told = false;
  world.past_alerts.each([&](const std::string&, const Alert& alert) {
    if (now - alert.resolved > rule.over) return;
    told |= std::ranges::any_of(alert.members,
                                [&](const AlertMember& own) { return own.is_same_as(member); });
  });
  return told;
}

std::vector<Payload> eased(const AlertPlace& place) {
  AlertChanged out{.id = place.id, .move = AlertMove::Eased};
  out.reason = fmt::format("{} is within its budget again", place.member->detail);
  out.members = {*place.member};
  out.members.front().over = true;
  return {std::move(out)};
}

// Whoever it is given to has the whole time to answer.
Result<Decision> own_alert(const Alert& alert, const AlertCommand& command,
                           const std::string& actor, const std::string& reason) {
  const std::string& owner = command.owner.empty() ? actor : command.owner;
  if (alert.owner == owner) return Decision{{}, {}, {fmt::format("it is '{}'s already", owner)}};
  AlertChanged changed{.id = command.alert, .move = AlertMove::Owned, .reason = reason};
  changed.owner = owner;
  return Decision{{std::move(changed)}, {}, {fmt::format("'{}' is told as its owner", owner)}};
}

// What shows it, since when, and how fast a burn it proves.
struct BurnEvidence {
  std::int64_t n = 0, bad = 0;
  Duration over{};
  double burn = 0;
};
BurnEvidence shown_by(const SloSpec& slo, const BurnReading& reading, const Burning& burning,
                      Instant now) {
  if (burning.rule) {
    const BurnReading::Rule& seen = reading.rules[*burning.rule];
    return {seen.n, seen.bad, slo.burn[*burning.rule].over, seen.proven};
  }
  const BurnProof& proof = reading.proof;
  return {proof.n, proof.bad, std::max<Duration>(now - proof.since, seconds(10)),
          burn_of({proof.n, proof.bad, 0}, slo.objective)};
}

AlertOpened burn_draft(const SloSpec& slo, const BurnReading& reading, const Burning& burning,
                       Instant now) {
  const BurnEvidence seen = shown_by(slo, reading, burning, now);
  const double share = seen.n > 0 ? double(seen.bad) / double(seen.n) : 0;
  const AlertMember member = burning_member(reading);
  AlertOpened draft;
  draft.subject = member.subject;
  draft.cause = member.cause;
  draft.detail = member.detail;
  draft.severity = burning.severity;
  draft.players_at_risk = reading.players_at_risk;
  draft.burn_milli = std::int64_t(seen.burn * 1000);
  const auto lasts = Duration(std::int64_t(
      double(slo.window.count()) / std::max(1.0, burn_of({seen.n, seen.bad, 0}, slo.objective))));
  draft.text = fmt::format(
      "players suffer: {} of {} were bad in the last {} ({} by {}; {} may be); at this rate the "
      "budget of {} lasts {}",
      seen.bad, seen.n, format_duration(std::chrono::floor<std::chrono::seconds>(seen.over)),
      percent_of(share), slo.metric, percent_of(1 - slo.objective), format_duration(slo.window),
      format_duration(std::chrono::floor<std::chrono::minutes>(lasts)));
  return draft;
}

}  // namespace

Result<Decision> decide_alert(const World& world, const AlertCommand& command,
                              const std::string& actor, const std::string& reason, Instant now) {
  TRY(const Alert* alert, open_alert_of(world, command.alert));
  if (command.verb == AlertVerb::Own) return own_alert(*alert, command, actor, reason);
  if (command.verb == AlertVerb::Acknowledge) {
    if (alert->is_acknowledged()) {
      return Decision{
          {}, {}, {fmt::format("'{}' has acknowledged it already", alert->acknowledged_by)}};
    }
    AlertChanged changed{.id = command.alert, .move = AlertMove::Acknowledged, .reason = reason};
    return Decision{{std::move(changed)}, {}, {"nobody else is called for it"}};
  }
  if (burns(world, *alert, now)) {
    return fail(ErrorCode::Conflict,
                fmt::format("alert '{}' burns an error budget still and would be opened again at "
                            "once; acknowledge it, or silence {}",
                            command.alert, alert->own().subject));
  }
  AlertChanged changed{.id = command.alert, .move = AlertMove::Resolved, .reason = reason};
  if (changed.reason.empty()) changed.reason = "resolved by hand";
  return Decision{{std::move(changed)}, {}, {}};
}

Result<Decision> decide_silence(const World& world, const SilenceCommand& command,
                                const std::string& reason, Instant now) {
  if (std::string missing = missing_subject(world, command.subject); !missing.empty())
    return fail(ErrorCode::NotFound, std::move(missing) + "; nothing was silenced");
  if (command.for_how_long <= Duration::zero() && command.event.empty()) {
    return fail(ErrorCode::Invalid,
                "a silence ends; say `for` how long, or with which `event` it ends");
  }
  if (command.for_how_long > kSilenceMax)
    return fail(ErrorCode::Invalid,
                "a silence lasts 30 days at most; mend what is loud for longer");
  if (!command.event.empty()) {
    const EventState* event = world.event(command.event);
    if (!event)
      return fail(ErrorCode::NotFound,
                  fmt::format("there is no LiveEvent '{}'; `showcaller get events` lists them",
                              command.event));
    if (event->phase > Phase::Live) {
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' is {}: a silence would end at once; say `for` how "
                              "long instead",
                              command.event, enum_name(event->phase)));
    }
  }
  SilenceSet set{command.subject, command.event, {}, reason};
  if (command.for_how_long > Duration::zero()) set.until = now + command.for_how_long;
  return Decision{{std::move(set)}, {}, {"alerts of it are in the journal, and call nobody"}};
}

Result<Decision> decide_unsilence(const World& world, const UnsilenceCommand& command,
                                  const std::string& reason) {
  if (!world.silences.find(command.silence)) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no silence '{}'; `showcaller alert silences` lists them",
                            command.silence));
  }
  return Decision{{SilenceEnded{command.silence, reason}}, {}, {}};
}

// Late words of an alert that is forgotten, or of a change that was told before, are nothing new.
Result<Decision> decide_delivery(const World& world, const DeliveryReported& report) {
  const Alert* alert = world.alert(report.alert);
  if (!alert) return Decision{};
  const auto known = alert->deliveries.find(report.route);
  if (known != alert->deliveries.end() && known->second.change >= report.change) return Decision{};
  return Decision{{AlertDelivered{report.alert, report.route, report.change, report.outcome,
                                  report.attempts, report.detail}},
                  {},
                  {}};
}

void tell_of_quarantines(const World& world, const std::string& fleet, Instant now,
                         std::vector<Payload>* payloads) {
  const FleetSpec* spec = world.fleet(fleet);
  AlertOpened draft;
  draft.subject = subject_name(Kind::Fleet, fleet);
  draft.cause = AlertCause::Instances;
  draft.severity = AlertSeverity::Ticket;
  for (const Payload& payload : *payloads) {
    const auto* set = std::get_if<QuarantineSet>(&payload);
    if (!set || set->scope == QuarantineScope::Instance) continue;
    draft.text += fmt::format("{}{} {} is quarantined: {}", draft.text.empty() ? "" : "; ",
                              enum_name(set->scope), set->subject, set->reason);
    // Others take over from a host or a build under rollout; not from a region or the base.
    const bool bars_players = set->scope == QuarantineScope::Region ||
                              (set->scope == QuarantineScope::Build && set->subject == spec->base);
    if (bars_players) draft.severity = AlertSeverity::Page;
  }
  if (draft.text.empty()) return;
  draft.text = fmt::format("instances of fleet {} fail: {}", fleet, draft.text);
  draft.next_steps = {"showcaller get instances", "showcaller release, once what fails is mended"};
  for (Payload& payload : raise_alert(world, std::move(draft), now))
    payloads->push_back(std::move(payload));
}

std::vector<Payload> decide_burn(const World& world, const BurnReading& reading, Instant now) {
  const SloSpec* slo = slo_of(world, reading);
  if (!slo) return {};
  const AlertMember member = burning_member(reading);
  const auto known = alert_with(world, member);
  const bool open = known && !known->member->over;
  const auto burning = burn_severity(world, *slo, reading);
  if (open && has_eased(world, *slo, reading, known->alert->severity)) return eased(*known);
  if (!burning || (!known && was_told(world, member, *slo, *burning, now))) return {};
  return raise_alert(world, burn_draft(*slo, reading, *burning, now), now);
}

}  // namespace showcaller
