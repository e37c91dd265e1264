// SPDX-License-Identifier: Apache-2.0
// Commands: authorised against the world as it is, then decided.
#include <set>

#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/config_versions.h"
#include "engine/decide_parts.h"
#include "policy/access.h"
#include "policy/admission.h"
#include "policy/approvals.h"
#include "policy/break_glass.h"
#include "policy/freezes.h"
#include "policy/gate_proofs.h"

namespace showcaller {
namespace {

std::unexpected<Error> no_event(const std::string& name) {
  return fail(ErrorCode::NotFound,
              fmt::format("there is no LiveEvent '{}'; `showcaller get events` lists them", name));
}

std::string reason_or(const Command& command, std::string_view verb) {
  return command.reason.empty() ? fmt::format("{} by {}", verb, command.actor.name)
                                : command.reason;
}

// ---- what a line or a quarantine names: a typo would stop nothing, and nobody would know ----

std::vector<std::string> names_of_events(const World& world) {
  std::vector<std::string> names;
  world.events.each([&](const std::string& name, const EventState&) { names.push_back(name); });
  return names;
}

std::vector<std::string> names_of_owners(const World& world) {
  std::set<std::string> owners;
  world.manifests.each([&](const std::string&, const StoredManifest& stored) {
    owners.insert(stored.manifest->owner);
    if (stored.manifest->kind() == Kind::Team) owners.insert(stored.manifest->name);
  });
  world.events.each(
      [&](const std::string&, const EventState& event) { owners.insert(event.manifest->owner); });
  return {owners.begin(), owners.end()};
}

// Fleets and events that are not there are refused. An owner may have nothing yet: that is a note,
// for whoever stops the line of a team in distress must not be sent away.
Result<std::string> doubt_about_scope(const World& world, const std::string& scope) {
  if (scope.empty()) return "";
  const std::size_t slash = scope.find('/');
  const std::string kind = scope.substr(0, slash), name = scope.substr(slash + 1);
  const auto known = kind == "fleet"   ? names_of(world, Kind::Fleet)
                     : kind == "event" ? names_of_events(world)
                                       : names_of_owners(world);
  if (std::find(known.begin(), known.end(), name) != known.end()) return "";
  if (kind == "owner") {
    return fmt::format("nothing is owned by '{}'{} The line is stopped, and stops nothing yet",
                       name, did_you_mean(name, known, "`showcaller get` shows who owns what."));
  }
  return fail(ErrorCode::NotFound,
              fmt::format("there is no {} '{}', and nothing was stopped{}", kind, name,
                          did_you_mean(name, known, "stop its owner's line, or every line")));
}

// The names that a quarantine of this scope can bite on. A host is known by its instances.
std::vector<std::string> subjects_of(const World& world, const FleetSpec& spec,
                                     const QuarantineCommand& c) {
  std::set<std::string> names;
  if (c.scope == QuarantineScope::Build) {
    for (const BuildSpec& build : spec.builds) names.insert(build.version);
  } else if (c.scope == QuarantineScope::Region) {
    for (const RegionSpec& region : spec.regions) names.insert(region.name);
  }
  world.instances.each_from(c.fleet + "/", [&](const std::string&, const Instance& instance) {
    if (instance.fleet != c.fleet) return false;
    switch (c.scope) {
      case QuarantineScope::Instance:
        names.insert(instance.id);
        break;
      case QuarantineScope::Build:
        names.insert(instance.build);
        break;
      case QuarantineScope::Host:
        names.insert(instance.host);
        break;
      case QuarantineScope::Region:
        names.insert(instance.region);
        break;
    }
    return true;
  });
  return {names.begin(), names.end()};
}

Status check_subject(const World& world, const FleetSpec& spec, const QuarantineCommand& c) {
  const auto known = subjects_of(world, spec, c);
  // "build@host" is one build on one host.
  const std::string name =
      c.scope == QuarantineScope::Build ? c.subject.substr(0, c.subject.find('@')) : c.subject;
  if (std::find(known.begin(), known.end(), name) != known.end()) return {};
  return fail(ErrorCode::NotFound,
              fmt::format("fleet '{}' has no {} '{}', and nothing was quarantined{}", c.fleet,
                          enum_name(c.scope), name,
                          did_you_mean(name, known, "`showcaller get instances` lists them")));
}

class CommandDecision {
 public:
  CommandDecision(const World& world, const Command& command, Instant now)
      : world_(world), command_(command), now_(now) {}

  Result<Decision> operator()(const ApplyCommand& c) const {
    TRY(check_admission(world_, c, command_.actor, now_));
    TRY(Decision out, decide_apply(world_, c, command_.trace, now_));
    for (std::string& note : admission_notes(world_, c, command_.actor, now_))
      out.notes.push_back(std::move(note));
    return out;
  }
  Result<Decision> operator()(const RemoveCommand& c) const { return decide_remove(world_, c); }

  // ---- a LiveEvent ----

  Result<Decision> operator()(const ApproveCommand& c) const {
    const EventState* event = world_.event(c.event);
    if (!event) return no_event(c.event);
    const EventState asked = with_proposal(*event);
    if (c.break_glass) return break_glass(c, asked);
    const Outcome outcome = outcome_of(asked.phase, PhaseInput::Approve);
    if (!event->proposed && !outcome.allowed)
      return fail(ErrorCode::Conflict, std::string(outcome.refusal));
    TRY(check_hash_read(asked, c.hash));
    TRY(may_approve(world_, asked, command_.actor, now_));
    const Instant until = approval_until(world_, asked, now_);
    return Decision{
        {ApprovalGranted{c.event, asked.revision, asked.manifest->hash, command_.actor.name,
                         command_.actor.roles, until}},
        {c.event},
        {fmt::format("{} approved {} r{}", command_.actor.name, c.event, asked.revision)}};
  }

  Result<Decision> operator()(const ProveGateCommand& c) const {
    const EventState* event = world_.event(c.event);
    if (!event) return no_event(c.event);
    TRY(may_be_proven(*event, c.gate, c.hash));
    return Decision{
        {GateProven{c.event, c.gate, c.hash, c.method, c.runs, c.verdict}},
        {c.event},
        {fmt::format("gate {} of {} is proven by {}", c.gate, c.event, enum_name(c.method))}};
  }

  Result<Decision> operator()(const EventCommand& c) const {
    const auto s = subject_of(world_, c.event, now_);
    if (!s) return no_event(c.event);
    if (c.expected_revision && *c.expected_revision != s->event.revision) {
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' is at revision {}, not {}; read it again", c.event,
                              s->event.revision, *c.expected_revision));
    }
    TRY(permit(world_, command_.body, now_));
    TRY(auto payloads, decide_verb(*s, c, reason_or(command_, enum_name(c.verb))));
    return Decision{std::move(payloads), {c.event}, {}};
  }

  Result<Decision> operator()(const ReadyCommand& c) const {
    const EventState* event = world_.event(c.event);
    if (!event) return no_event(c.event);
    if (is_over(event->phase)) {
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' is {}: nothing waits for a check", c.event,
                              enum_name(event->phase)));
    }
    auto asked = required_checks(event->spec());
    std::erase_if(asked, [](const std::string& check) { return check.starts_with("capacity"); });
    if (std::find(asked.begin(), asked.end(), c.check) == asked.end()) {
      return fail(
          ErrorCode::Invalid,
          fmt::format("LiveEvent '{}' asks for no check '{}'; {}", c.event, c.check,
                      asked.empty() ? "it asks for none"
                                    : fmt::format("it asks for {}", fmt::join(asked, ", "))));
    }
    const auto before = event->readiness.find(c.check);
    if (before != event->readiness.end() && before->second.ready == c.ready &&
        before->second.detail == c.detail) {
      return Decision{};
    }
    return Decision{{ReadinessChanged{c.event, c.check, c.ready, c.detail}}, {c.event}, {}};
  }

  // ---- the house ----

  Result<Decision> operator()(const LineCommand& c) const {
    TRY(check_line_scope(c.scope));
    const bool stopped = world_.lines.contains(c.scope);
    if (c.stop == stopped)
      return Decision{{}, {}, {stopped ? "the line is stopped already" : "the line runs already"}};
    const std::string reason = reason_or(command_, c.stop ? "stopped" : "resumed");
    if (!c.stop) return Decision{{LineResumed{c.scope, reason}}, {"*"}, {}};
    TRY(std::string doubt, doubt_about_scope(world_, c.scope));
    Decision out{{LineStopped{c.scope, reason}}, {"*"}, {}};
    if (!doubt.empty()) out.notes.push_back(std::move(doubt));
    return out;
  }

  Result<Decision> operator()(const QuarantineCommand& c) const {
    const FleetSpec* fleet = world_.fleet(c.fleet);
    if (!fleet) {
      return fail(ErrorCode::NotFound,
                  fmt::format("there is no Fleet '{}'{}", c.fleet,
                              did_you_mean(c.fleet, names_of(world_, Kind::Fleet),
                                           "`showcaller get fleets` lists them")));
    }
    const bool there = world_.quarantines.contains(quarantine_key(c.scope, c.fleet, c.subject));
    if (c.release) {
      if (!there)
        return fail(ErrorCode::NotFound,
                    fmt::format("{} '{}' is not quarantined", enum_name(c.scope), c.subject));
      return Decision{
          {QuarantineLifted{c.scope, c.fleet, c.subject, reason_or(command_, "released")}}, {}, {}};
    }
    TRY(check_subject(world_, *fleet, c));
    const Instant until = c.for_how_long.count() > 0 ? now_ + c.for_how_long : Instant{};
    return Decision{
        {QuarantineSet{c.scope, c.fleet, c.subject, until, reason_or(command_, "quarantined")}},
        {},
        {}};
  }

  Result<Decision> operator()(const DrillCommand& c) const {
    return decide_drill(world_, c, reason_or(command_, c.stop ? "stopped" : "begun"), now_);
  }

  Result<Decision> operator()(const FlagCommand& c) const {
    return decide_flag(world_, c, reason_or(command_, c.reopen ? "re-opened" : "killed"), now_);
  }

  Result<Decision> operator()(const FeatureCommand& c) const {
    return decide_feature(world_, c, reason_or(command_, c.restore ? "given back" : "withdrawn"),
                          now_);
  }

  Result<Decision> operator()(const ConfigUndoCommand& c) const {
    return decide_config_undo(world_, c);
  }

  Result<Decision> operator()(const MergeFlagsCommand& c) const {
    return decide_flags_of_relay(world_, c);
  }

  Result<Decision> operator()(const AlertCommand& c) const {
    return decide_alert(world_, c, command_.actor.name, command_.reason, now_);
  }

  Result<Decision> operator()(const SilenceCommand& c) const {
    return decide_silence(world_, c, reason_or(command_, "silenced"), now_);
  }

  Result<Decision> operator()(const UnsilenceCommand& c) const {
    return decide_unsilence(world_, c, reason_or(command_, "ended"));
  }

  Result<Decision> operator()(const CreateTokenCommand& c) const {
    TRY(check_token_name(c.name));
    if (c.sha256.size() != 64 || world_.tokens.contains(c.sha256)) {
      return fail(ErrorCode::Invalid, "the token's hash is not a new SHA-256 in hex");
    }
    bool taken = false;
    world_.tokens.each(
        [&](const std::string&, const Token& t) { taken |= t.id == c.id || t.name == c.name; });
    if (taken)
      return fail(
          ErrorCode::Conflict,
          fmt::format("there is a token named '{}'; revoke it or take another name", c.name));
    return Decision{{TokenCreated{c.id, c.name, c.roles, c.sha256, c.expires}}, {}, {}};
  }

  Result<Decision> operator()(const RevokeTokenCommand& c) const {
    bool found = false;
    world_.tokens.each([&](const std::string&, const Token& t) { found |= t.id == c.id; });
    if (!found) return fail(ErrorCode::NotFound, fmt::format("there is no token '{}'", c.id));
    return Decision{{TokenRevoked{c.id}}, {}, {}};
  }

 private:
  // The owner is paged for each of the two: the first may already be somebody who should not.
  Result<Decision> break_glass(const ApproveCommand& c, const EventState& asked) const {
    if (is_over(asked.phase)) {
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' is over ({}); apply it again first", c.event,
                              enum_name(asked.phase)));
    }
    TRY(check_hash_read(asked, c.hash));
    TRY(may_break_glass(asked, command_.actor.name, command_.reason, now_));
    const GlassBroken part{c.event, asked.revision, asked.manifest->hash, now_ + kGlassStaysBroken,
                           command_.reason};
    const Subject s{world_, c.event, asked, now_};
    Decision out{{part},
                 {c.event},
                 {fmt::format("it takes {} people; approvals and freezes are set aside while both "
                              "parts last, until {} at most",
                              kGlassPeople, format_instant(part.until))}};
    for (Payload& payload :
         page_of(s, AlertCause::BreakGlass, command_.actor.name,
                 fmt::format("'{}' breaks the glass of {} r{}: {}", command_.actor.name, c.event,
                             asked.revision, command_.reason)))
      out.payloads.push_back(std::move(payload));
    return out;
  }

  const World& world_;
  const Command& command_;
  Instant now_;
};

}  // namespace

Result<Decision> decide_command(const World& world, const Command& command, Instant now) {
  TRY(authorize_command(world, command.actor, command.body));
  return std::visit(CommandDecision(world, command, now), command.body);
}

}  // namespace showcaller
