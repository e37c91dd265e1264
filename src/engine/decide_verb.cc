// SPDX-License-Identifier: Apache-2.0
// An operator's verbs on a LiveEvent: hold, resume, promote, …
#include <fmt/format.h>

#include "engine/decide_parts.h"
#include "policy/freezes.h"

namespace showcaller {
namespace {

using Payloads = std::vector<Payload>;

class VerbDecision {
 public:
  VerbDecision(const Subject& subject, const std::string& reason) : s_(subject), reason_(reason) {}

  Result<Payloads> decide(const EventCommand& c) const {
    switch (c.verb) {
      case EventVerb::Hold:
        return hold();
      case EventVerb::Resume:
        return resume();
      case EventVerb::Promote:
        return promote();
      case EventVerb::StepBack:
        TRY(allowed(PhaseInput::StepBack));
        return step_back(s_, reason_);
      case EventVerb::Rollback:
        TRY(allowed(PhaseInput::Rollback));
        return roll_back(s_, reason_, false);
      case EventVerb::Cancel:
        TRY(allowed(PhaseInput::Cancel));
        if (has_outside_effects(s_.event)) return roll_back(s_, reason_, false);
        return Payloads{change_phase(s_, PhaseInput::Cancel, reason_)};
      case EventVerb::Retire:
        return retire();
      case EventVerb::Divert:
      case EventVerb::Undivert:
        return divert(c.verb == EventVerb::Divert);
      case EventVerb::Pace:
        return pace(c.pace_per_minute);
    }
    return fail(ErrorCode::Internal, "an unknown verb");
  }

 private:
  Status allowed(PhaseInput input) const {
    const Outcome outcome = outcome_of(s_.event.phase, input);
    if (outcome.allowed) return {};
    return fail(ErrorCode::Conflict, fmt::format("LiveEvent '{}' is {}: {}", s_.name,
                                                 enum_name(s_.event.phase), outcome.refusal));
  }

  Status running() const {
    if (may_admit(s_.event.phase)) return {};
    return fail(ErrorCode::Conflict,
                fmt::format("LiveEvent '{}' is {}; only an event that is rolling out or live "
                            "admits players",
                            s_.name, enum_name(s_.event.phase)));
  }

  Status refuse_growth_if(const std::string& why) const {
    if (why.empty()) return {};
    return fail(ErrorCode::Conflict,
                fmt::format("LiveEvent '{}' may not grow now: {}", s_.name, why));
  }

  Result<Payloads> hold() const {
    if (is_over(s_.event.phase)) {
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' is over ({})", s_.name, enum_name(s_.event.phase)));
    }
    if (s_.event.hold && s_.event.hold->by == HoldCause::Operator) {
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' is held already by {}: {}", s_.name,
                              s_.event.hold->actor, s_.event.hold->reason));
    }
    return Payloads{HoldSet{s_.name, HoldCause::Operator, reason_}};
  }

  // Resuming what was held for its start having come too early is the answer to that question.
  Result<Payloads> resume() const {
    if (!s_.event.hold)
      return fail(ErrorCode::Conflict, fmt::format("LiveEvent '{}' is not held", s_.name));
    Payloads out{HoldLifted{s_.name, reason_}};
    if (s_.event.hold->by != HoldCause::Schedule || s_.event.intake != IntakeState::Proving)
      return out;
    for (Payload& payload : open_next_doors(s_)) out.push_back(std::move(payload));
    return out;
  }

  Result<Payloads> retire() const {
    TRY(allowed(PhaseInput::Retire));
    Payloads out;
    if (s_.event.intake != IntakeState::Closed)
      out.push_back(IntakeChanged{s_.name, IntakeState::Closed, {}, reason_});
    out.push_back(change_phase(s_, PhaseInput::Retire, reason_));
    return out;
  }

  Result<Payloads> divert(bool on) const {
    TRY(running());
    if (s_.event.diverted == on) return Payloads{};
    if (!on) TRY(refuse_growth_if(blocked(s_)));
    return Payloads{DivertSet{s_.name, on, reason_}};
  }

  // A slower pace is a move toward safety, a faster one lets more in.
  Result<Payloads> pace(std::int64_t per_minute) const {
    TRY(running());
    if (per_minute < 0)
      return fail(ErrorCode::Invalid, "a pace is a number of sessions a minute, or 0 for no limit");
    const std::int64_t now = s_.event.pace_per_minute;
    if (now > 0 && (per_minute == 0 || per_minute > now)) {
      TRY(refuse_growth_if(exposure_blocked(s_.world, s_.event, s_.now).value_or("")));
    }
    return Payloads{PaceSet{s_.name, per_minute, reason_}};
  }

  // A person may vouch for a stage that is thin, also when it is held for that; nobody may for one
  // that fails, is blind, or is skewed.
  Result<Payloads> promote() const {
    const bool held_as_thin = s_.event.hold && s_.event.hold->by == HoldCause::Thin;
    if (!held_as_thin) TRY(refuse_growth_if(blocked(s_)));
    TRY(allowed(PhaseInput::Advance));
    TRY(nothing_bars_it());
    TRY(has_room());
    Payloads out;
    if (held_as_thin) out.push_back(HoldLifted{s_.name, reason_});
    for (Payload& payload : advance(s_, reason_)) out.push_back(std::move(payload));
    return out;
  }

  Status nothing_bars_it() const {
    for (const auto& [gate, standing] : s_.event.gates) {
      const bool bars = standing.verdict == VerdictName::Fail ||
                        standing.verdict == VerdictName::Skewed ||
                        standing.verdict == VerdictName::Blind;
      if (standing.visit != s_.event.visit || !bars) continue;
      return fail(
          ErrorCode::Conflict,
          fmt::format(
              "{} says {} in this stage ({}); roll back or step back, then try the stage again",
              gate.empty() ? "the stage's evidence" : "gate " + gate, enum_name(standing.verdict),
              standing.why));
    }
    return {};
  }

  // Only what was seen to be missing refuses: before the stage may end, nobody has looked yet, and
  // who promotes so early accepts that sessions wait for their instances.
  Status has_room() const {
    if (s_.event.phase != Phase::RollingOut || s_.is_last_stage()) return {};
    for (const auto& [check, standing] : s_.event.readiness) {
      const bool known = check.starts_with("capacity") && capacity_is_fresh(s_, standing);
      if (!known || standing.ready) continue;
      return fail(ErrorCode::Conflict,
                  fmt::format("LiveEvent '{}' has no room for its next stage yet ({}); what is "
                              "missing is being started",
                              s_.name, standing.detail));
    }
    return {};
  }

  const Subject& s_;
  const std::string& reason_;
};

}  // namespace

Result<std::vector<Payload>> decide_verb(const Subject& subject, const EventCommand& command,
                                         const std::string& reason) {
  return VerbDecision(subject, reason).decide(command);
}

}  // namespace showcaller
