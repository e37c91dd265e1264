// SPDX-License-Identifier: Apache-2.0
// Commands: authorised against the world as it is, then decided.
#include <set>

#include <fmt/format.h>

#include "engine/decide.h"
#include "engine/decide_parts.h"
#include "engine/moves.h"
#include "policy/access.h"
#include "policy/approvals.h"
#include "policy/freezes.h"
#include "policy/quotas.h"

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

class CommandDecision {
 public:
  CommandDecision(const World& world, const Command& command, Instant now)
      : world_(world), command_(command), now_(now) {}

  // ---- manifests ----

  Result<Decision> operator()(const ApplyCommand& c) const {
    Decision out;
    for (const auto& manifest : c.manifests) {
      TRY(may(verb_to_apply(manifest->kind()), manifest->owner));
      if (manifest->kind() == Kind::LiveEvent) {
        TRY(apply_event(manifest, &out));
      } else {
        apply_other(*manifest, &out);
      }
    }
    return out;
  }

  Result<Decision> operator()(const RemoveCommand& c) const {
    const auto manifest = world_.manifest(c.kind, c.name);
    if (!manifest)
      return fail(ErrorCode::NotFound,
                  fmt::format("there is no {} '{}'", to_string(c.kind), c.name));
    TRY(may(verb_to_apply(c.kind), manifest->owner));
    std::string user;
    world_.events.each([&](const std::string& name, const EventState& event) {
      if (is_over(event.phase)) return;
      for (const Change& change : event.spec().changes) {
        const auto* build = std::get_if<BuildChange>(&change.what);
        const auto* flag = std::get_if<FlagChange>(&change.what);
        if ((build && c.kind == Kind::Fleet && build->fleet == c.name) ||
            (flag && c.kind == Kind::Flag && flag->key == c.name)) {
          user = name;
        }
      }
    });
    if (c.kind == Kind::Fleet) {
      int instances = 0;
      world_.instances.each_from(c.name + "/", [&](const std::string&, const Instance& instance) {
        instances += instance.fleet == c.name ? 1 : 0;
        return instance.fleet == c.name;
      });
      if (instances > 0) {
        return fail(
            ErrorCode::Conflict,
            fmt::format("Fleet '{}' still has {} instances; apply it with capacity min 0 and "
                        "buffer 0, and remove it when they are gone",
                        c.name, instances));
      }
    }
    if (!user.empty()) {
      return fail(ErrorCode::Conflict,
                  fmt::format("{} '{}' is used by LiveEvent '{}'; retire or roll that back first",
                              to_string(c.kind), c.name, user));
    }
    return Decision{{ManifestRemoved{std::string(to_string(c.kind)), c.name}},
                    {},
                    {"removed " + manifest->key()}};
  }

  // ---- a LiveEvent ----

  Result<Decision> operator()(const ApproveCommand& c) const {
    const auto s = subject_of(world_, c.event, now_);
    if (!s) return no_event(c.event);
    TRY(may("approve", s->event.manifest->owner));
    if (const Outcome o = outcome_of(s->event.phase, PhaseInput::Approve); !o.allowed) {
      return fail(ErrorCode::Conflict, std::string(o.refusal));
    }
    const std::string& hash = c.hash.empty() ? s->event.manifest->hash : c.hash;
    TRY(may_approve(world_, s->event, command_.actor, hash, now_));
    const Instant until = approval_until(world_, s->event, now_);
    return Decision{
        {ApprovalGranted{c.event, s->event.revision, s->event.manifest->hash, command_.actor.name,
                         command_.actor.roles, until}},
        {c.event},
        {fmt::format("{} approved {} r{}", command_.actor.name, c.event, s->event.revision)}};
  }

  Result<Decision> operator()(const EventCommand& c) const {
    const auto s = subject_of(world_, c.event, now_);
    if (!s) return no_event(c.event);
    TRY(may(verb_of(command_.body), s->event.manifest->owner));
    if (c.expected_revision && *c.expected_revision != s->event.revision) {
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' is at revision {}, not {}; read it again", c.event,
                              s->event.revision, *c.expected_revision));
    }
    TRY(permit(world_, command_.body, now_));
    TRY(auto payloads, decide_verb(*s, c));
    return Decision{std::move(payloads), {c.event}, {}};
  }

  // ---- the house ----

  Result<Decision> operator()(const LineCommand& c) const {
    TRY(check_line_scope(c.scope));
    TRY(may(c.stop ? "stop-line" : "resume-line", line_owner(world_, c.scope)));
    const bool stopped = world_.lines.contains(c.scope);
    if (c.stop == stopped)
      return Decision{{}, {}, {stopped ? "the line is stopped already" : "the line runs already"}};
    const std::string reason = reason_or(command_, c.stop ? "stopped" : "resumed");
    if (c.stop) return Decision{{LineStopped{c.scope, reason}}, {"*"}, {}};
    return Decision{{LineResumed{c.scope, reason}}, {"*"}, {}};
  }

  Result<Decision> operator()(const QuarantineCommand& c) const {
    const auto fleet = world_.manifest(Kind::Fleet, c.fleet);
    if (!fleet) return fail(ErrorCode::NotFound, fmt::format("there is no Fleet '{}'", c.fleet));
    TRY(may(c.release ? "release" : "quarantine", fleet->owner));
    const bool there = world_.quarantines.contains(quarantine_key(c.scope, c.fleet, c.subject));
    if (c.release) {
      if (!there)
        return fail(ErrorCode::NotFound,
                    fmt::format("{} '{}' is not quarantined", enum_name(c.scope), c.subject));
      return Decision{
          {QuarantineLifted{c.scope, c.fleet, c.subject, reason_or(command_, "released")}}, {}, {}};
    }
    if (c.scope == QuarantineScope::Instance &&
        !world_.instances.contains(instance_key(c.fleet, c.subject))) {
      return fail(ErrorCode::NotFound,
                  fmt::format("fleet '{}' has no instance '{}'", c.fleet, c.subject));
    }
    const Instant until = c.for_how_long.count() > 0 ? now_ + c.for_how_long : Instant{};
    return Decision{
        {QuarantineSet{c.scope, c.fleet, c.subject, until, reason_or(command_, "quarantined")}},
        {},
        {}};
  }

  Result<Decision> operator()(const ReadyCommand& c) const {
    const EventState* event = world_.event(c.event);
    if (!event)
      return fail(ErrorCode::NotFound, fmt::format("there is no LiveEvent '{}'", c.event));
    TRY(may("ready", event->manifest->owner));
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

  Result<Decision> operator()(const CreateTokenCommand& c) const {
    TRY(may("token", ""));
    TRY(check_token_name(c.name));
    TRY(authorize_roles(world_, command_.actor, c.roles));  // Nobody hands out more than he has.
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
    TRY(may("token", ""));
    bool found = false;
    world_.tokens.each([&](const std::string&, const Token& t) { found |= t.id == c.id; });
    if (!found) return fail(ErrorCode::NotFound, fmt::format("there is no token '{}'", c.id));
    return Decision{{TokenRevoked{c.id}}, {}, {}};
  }

 private:
  Status may(std::string_view verb, std::string_view owner) const {
    return authorize(world_, command_.actor, verb, owner);
  }

  void apply_other(const Manifest& manifest, Decision* out) const {
    const StoredManifest* stored = world_.manifests.find(manifest.key());
    if (stored && stored->manifest->hash == manifest.hash) {
      out->notes.push_back(manifest.key() + " unchanged");
      return;
    }
    const std::int64_t generation = stored ? stored->generation + 1 : 1;
    out->payloads.push_back(ManifestApplied{std::string(to_string(manifest.kind())), manifest.name,
                                            generation, manifest.hash, manifest.document});
    out->touched.push_back("*");  // A policy, a fleet, a flag: any event may have waited for it.
    out->notes.push_back(fmt::format("{} {}", manifest.key(), stored ? "changed" : "created"));
  }

  Status apply_event(const std::shared_ptr<const Manifest>& manifest, Decision* out) const {
    const EventState* event = world_.event(manifest->name);
    if (event && event->manifest->hash == manifest->hash && !is_over(event->phase)) {
      out->notes.push_back(manifest->key() + " unchanged");
      return {};
    }
    if (event) {
      if (event->manifest->owner != manifest->owner) TRY(may("apply", event->manifest->owner));
      const Outcome outcome = outcome_of(event->phase, PhaseInput::Revise);
      if (!outcome.allowed)
        return fail(ErrorCode::Conflict,
                    fmt::format("LiveEvent '{}': {}", manifest->name, outcome.refusal));
      if (may_admit(event->phase)) TRY(check_running_revision(*event, *manifest));
      if (event->phase == Phase::Preparing || event->phase == Phase::Ready)
        TRY(check_prepared_revision(*event, *manifest));
    }
    if (!event || is_over(event->phase)) TRY(check_event_quota(world_, manifest->name, now_));
    const std::int64_t revision = event ? event->revision + 1 : 1;
    out->payloads.push_back(
        EventRevised{manifest->name, revision, manifest->hash, manifest->document});
    out->touched.push_back(manifest->name);
    out->notes.push_back(
        fmt::format("{} r{} {}", manifest->key(), revision, event ? "revised" : "created"));
    return {};
  }

  static std::vector<std::string> paths_of(const LiveEventSpec& spec) {
    std::vector<std::string> paths;
    for (const Change& change : spec.changes) paths.push_back(change.path());
    return paths;
  }

  // Players are in it: what they are in stays; what they will meet may change.
  static Status check_running_revision(const EventState& event, const Manifest& next) {
    const auto& now = event.manifest->document;
    const auto& then = next.document;
    const auto part = [](const json::object& document, std::string_view key) -> json::value {
      const json::value* spec = document.if_contains("spec");
      const json::value* found =
          spec && spec->is_object() ? spec->get_object().if_contains(key) : nullptr;
      return found ? *found : json::value();
    };
    if (part(now, "changes") != part(then, "changes")) {
      return fail(
          ErrorCode::Conflict,
          fmt::format("LiveEvent '{}' has players in it, so its changes can't be exchanged under "
                      "them; roll it back "
                      "and apply again, or put the new changes into another LiveEvent after it",
                      next.name));
    }
    const auto& old_stages = event.spec().stages;
    const auto& new_stages = next.as<LiveEventSpec>().stages;
    for (int i = 0; i <= event.stage; ++i) {
      const auto at = std::size_t(i);
      if (at >= new_stages.size() || new_stages[at].name != old_stages[at].name ||
          new_stages[at].exposure_ppm < old_stages[at].exposure_ppm ||
          new_stages[at].audience != old_stages[at].audience) {
        return fail(ErrorCode::Conflict,
                    fmt::format("LiveEvent '{}' has entered stage '{}'; stages up to it can't be "
                                "removed, narrowed or given "
                                "another audience (exposure only grows on the way forward)",
                                next.name, old_stages[at].name));
      }
    }
    return {};
  }

  // Steps have run: a change-set with other steps must undo them first.
  static Status check_prepared_revision(const EventState& event, const Manifest& next) {
    if (paths_of(event.spec()) == paths_of(next.as<LiveEventSpec>())) return {};
    return fail(
        ErrorCode::Conflict,
        fmt::format("LiveEvent '{}' is being made ready and its change-set differs; roll it back "
                    "first, then apply again",
                    next.name));
  }

  // Resuming what was held for its start having come too early is the answer to that question.
  static std::vector<Payload> resume(const Subject& s, const std::string& reason) {
    std::vector<Payload> out{HoldLifted{s.name, reason}};
    if (s.event.hold->by != HoldCause::Schedule || s.event.intake != IntakeState::Proving)
      return out;
    for (Payload& payload : open_next_doors(s)) out.push_back(std::move(payload));
    return out;
  }

  Result<std::vector<Payload>> decide_verb(const Subject& s, const EventCommand& c) const {
    const std::string reason = reason_or(command_, enum_name(c.verb));
    const auto allowed = [&](PhaseInput input) -> Status {
      const Outcome outcome = outcome_of(s.event.phase, input);
      if (outcome.allowed) return {};
      return fail(ErrorCode::Conflict, fmt::format("LiveEvent '{}' is {}: {}", s.name,
                                                   enum_name(s.event.phase), outcome.refusal));
    };
    const auto running = [&]() -> Status {
      if (may_admit(s.event.phase)) return {};
      return fail(
          ErrorCode::Conflict,
          fmt::format(
              "LiveEvent '{}' is {}; only an event that is rolling out or live admits players",
              s.name, enum_name(s.event.phase)));
    };
    switch (c.verb) {
      case EventVerb::Hold:
        if (is_over(s.event.phase))
          return fail(ErrorCode::Conflict,
                      fmt::format("LiveEvent '{}' is over ({})", s.name, enum_name(s.event.phase)));
        if (s.event.hold && s.event.hold->by == HoldCause::Operator)
          return fail(ErrorCode::Conflict,
                      fmt::format("LiveEvent '{}' is held already by {}: {}", s.name,
                                  s.event.hold->actor, s.event.hold->reason));
        return std::vector<Payload>{HoldSet{s.name, HoldCause::Operator, reason}};
      case EventVerb::Resume:
        if (!s.event.hold)
          return fail(ErrorCode::Conflict, fmt::format("LiveEvent '{}' is not held", s.name));
        return resume(s, reason);
      case EventVerb::Promote:
        return promote(s, reason);
      case EventVerb::StepBack:
        TRY(allowed(PhaseInput::StepBack));
        return step_back(s, reason);
      case EventVerb::Rollback:
        TRY(allowed(PhaseInput::Rollback));
        return roll_back(s, reason, false);
      case EventVerb::Cancel:
        TRY(allowed(PhaseInput::Cancel));
        if (has_outside_effects(s.event)) return roll_back(s, reason, false);
        return std::vector<Payload>{change_phase(s, PhaseInput::Cancel, reason)};
      case EventVerb::Retire: {
        TRY(allowed(PhaseInput::Retire));
        std::vector<Payload> out;
        if (s.event.intake != IntakeState::Closed)
          out.push_back(IntakeChanged{s.name, IntakeState::Closed, {}, reason});
        out.push_back(change_phase(s, PhaseInput::Retire, reason));
        return out;
      }
      case EventVerb::Divert:
      case EventVerb::Undivert:
        TRY(running());
        if (s.event.diverted == (c.verb == EventVerb::Divert)) return std::vector<Payload>{};
        if (c.verb == EventVerb::Undivert) TRY(may_grow(s));
        return std::vector<Payload>{DivertSet{s.name, c.verb == EventVerb::Divert, reason}};
      case EventVerb::Pace:
        TRY(running());
        if (c.pace_per_minute < 0)
          return fail(ErrorCode::Invalid,
                      "a pace is a number of sessions a minute, or 0 for no limit");
        return std::vector<Payload>{PaceSet{s.name, c.pace_per_minute, reason}};
    }
    return fail(ErrorCode::Internal, "an unknown verb");
  }

  static Status may_grow(const Subject& s) {
    if (const std::string why = blocked(s); !why.empty()) {
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' may not grow now: {}", s.name, why));
    }
    return {};
  }

  // A person may vouch for a stage that is thin; nobody may for one that fails, is blind, or is
  // skewed.
  static Result<std::vector<Payload>> promote(const Subject& s, const std::string& reason) {
    TRY(may_grow(s));
    if (s.event.phase != Phase::RollingOut) {
      const Outcome outcome = outcome_of(s.event.phase, PhaseInput::Advance);
      return fail(ErrorCode::Conflict, fmt::format("LiveEvent '{}' is {}: {}", s.name,
                                                   enum_name(s.event.phase), outcome.refusal));
    }
    for (const auto& [gate, standing] : s.event.gates) {
      const bool bars = standing.verdict == VerdictName::Fail ||
                        standing.verdict == VerdictName::Skewed ||
                        standing.verdict == VerdictName::Blind;
      if (standing.visit != s.event.visit || !bars) continue;
      return fail(
          ErrorCode::Conflict,
          fmt::format(
              "{} says {} in this stage ({}); roll back or step back, then try the stage again",
              gate.empty() ? "the stage's evidence" : "gate " + gate, enum_name(standing.verdict),
              standing.why));
    }
    TRY(has_room(s));
    return advance(s, reason);
  }

  // Only what was seen to be missing refuses: before the stage may end, nobody has looked yet, and
  // who promotes so early accepts that sessions wait for their instances.
  static Status has_room(const Subject& s) {
    if (s.event.phase != Phase::RollingOut || s.is_last_stage()) return {};
    for (const auto& [check, standing] : s.event.readiness) {
      const bool known = check.starts_with("capacity") && capacity_is_fresh(s, standing);
      if (!known || standing.ready) continue;
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' has no room for its next stage yet ({}); what is "
                              "missing is being started",
                              s.name, standing.detail));
    }
    return {};
  }

  const World& world_;
  const Command& command_;
  Instant now_;
};

}  // namespace

Result<Decision> decide_command(const World& world, const Command& command, Instant now) {
  return std::visit(CommandDecision(world, command, now), command.body);
}

}  // namespace showcaller
