// SPDX-License-Identifier: Apache-2.0
// A look at the evidence: which verdicts changed, and what follows from them. Only pass advances;
// fail does what its gate says; thin at the end of the bake does what on_thin says; blind and
// skewed hold. A gate that only warns, as it is written or for want of a proof, pages when it
// fails, and the end of the bake holds the stage.
#include <fmt/format.h>

#include "base/deliberate_bug.h"
#include "engine/decide_parts.h"
#include "engine/moves.h"
#include "policy/gate_proofs.h"

namespace showcaller {
namespace {

VerdictName name_of(Verdict verdict) {
  return VerdictName(std::uint8_t(verdict));
}
static_assert(std::uint8_t(Verdict::Pass) == std::uint8_t(VerdictName::Pass) &&
              std::uint8_t(Verdict::Fail) == std::uint8_t(VerdictName::Fail) &&
              std::uint8_t(Verdict::Thin) == std::uint8_t(VerdictName::Thin) &&
              std::uint8_t(Verdict::Blind) == std::uint8_t(VerdictName::Blind) &&
              std::uint8_t(Verdict::Skewed) == std::uint8_t(VerdictName::Skewed));

const GateSpec* gate_of(const LiveEventSpec& spec, std::string_view name) {
  for (const GateSpec& gate : spec.gates) {
    if (gate.name == name) return &gate;
  }
  return nullptr;
}

// What would settle a thin stage changes with its evidence: told again now and then, so that who
// asks hears how it stands.
constexpr Duration kThinToldEvery = minutes(5);

bool failed_before(const Subject& s, const GateLooked& look, const std::string& gate) {
  const auto at = s.event.gates.find(gate);
  return at != s.event.gates.end() && at->second.visit == look.visit &&
         at->second.verdict == VerdictName::Fail;
}

// What failed before it was proven may only have warned: its verdict is told anew, and acts.
bool proven_since_it_failed(const Subject& s, const GateLooked& look, const std::string& name) {
  const GateSpec* gate = gate_of(s.spec(), name);
  const GateProof* proof = gate ? proof_of(s.event, *gate) : nullptr;
  return proof && failed_before(s, look, name) && proof->at > s.event.gates.at(name).since;
}

bool is_told(const Subject& s, const GateLooked& look, const GateReading& reading) {
  const auto at = s.event.gates.find(reading.gate);
  if (at == s.event.gates.end() || at->second.visit != look.visit ||
      at->second.verdict != name_of(reading.verdict) ||
      proven_since_it_failed(s, look, reading.gate))
    return false;
  const bool is_stale =
      s.now - at->second.since >= kThinToldEvery || look.evidence_s >= 2 * at->second.evidence_s;
  return !reading.gate.empty() || reading.verdict != Verdict::Thin || !is_stale ||
         at->second.why == reading.why;
}

std::vector<Payload> changed_verdicts(const Subject& s, const GateLooked& look) {
  std::vector<Payload> out;
  for (const GateReading& reading : look.readings) {
    if (is_told(s, look, reading)) continue;
    out.push_back(VerdictChanged{s.name, look.revision, s.event.stage, look.visit, reading.gate,
                                 name_of(reading.verdict), look.evidence_s, look.evidence_offset,
                                 look.evidence_hash, reading.statistics, reading.why});
  }
  return out;
}

// How grave an action is: of several failing gates, the gravest acts.
int gravity(GateAction action) {
  switch (action) {
    case GateAction::Rollback:
      return 5;
    case GateAction::StepBack:
      return 4;
    case GateAction::Divert:
      return 3;
    case GateAction::Hold:
      return 2;
    case GateAction::Pace:
      return 1;
    case GateAction::Warn:
      return 0;
  }
  return 5;
}

struct Failure {
  GateAction action = GateAction::Warn;
  std::string gate, why;
  bool is_new = true;  // in this visit
};

std::vector<Failure> failures_of(const Subject& s, const GateLooked& look) {
  std::vector<Failure> out;
  if (broken(DeliberateBug::FailureIgnored)) return out;
  for (const GateReading& reading : look.readings) {
    if (reading.verdict != Verdict::Fail || reading.gate.empty()) continue;
    const GateSpec* gate = gate_of(s.spec(), reading.gate);
    GateAction action = gate ? gate->on_fail : GateAction::Rollback;
    // What clients alone say may only hold: a client can lie.
    if (reading.client_evidence_only && gravity(action) > gravity(GateAction::Hold))
      action = GateAction::Hold;
    Failure failure{
        action, reading.gate, fmt::format("gate {} failed: {}", reading.gate, reading.why),
        !failed_before(s, look, reading.gate) || proven_since_it_failed(s, look, reading.gate)};
    if (const std::string unproven = gate ? why_only_warns(s.world, s.event, *gate) : "";
        !unproven.empty()) {
      failure.action = GateAction::Warn;
      failure.why += "; " + unproven;
    }
    out.push_back(std::move(failure));
  }
  return out;
}

std::vector<Payload> warn(const Subject& s, const std::vector<Failure>& failures) {
  std::string gate, why;
  for (const Failure& failure : failures) {
    if (!failure.is_new) continue;
    gate = why.empty() ? failure.gate : "";  // Of several any one keeps it open.
    why += (why.empty() ? "" : "; ") + failure.why;
  }
  if (why.empty()) return {};
  return page_of(s, AlertCause::Gate, gate,
                 fmt::format("{} goes on, and does not advance: {}; look at it, then hold it or "
                             "roll back",
                             s.name, why));
}

constexpr std::int64_t kPacePerMinuteFirst = 60;

std::vector<Payload> act_on(const Subject& s, const Failure& failure) {
  switch (failure.action) {
    case GateAction::Rollback:
      return roll_back(s, failure.why, true);
    case GateAction::StepBack:
      return step_back(s, failure.why);
    case GateAction::Hold:
      return hold(s, HoldCause::Gate, failure.why, true);
    case GateAction::Divert: {
      std::vector<Payload> out;
      if (!s.event.diverted) out.push_back(DivertSet{s.name, true, failure.why});
      for (Payload& payload : hold(s, HoldCause::Gate, failure.why, true))
        out.push_back(std::move(payload));
      return out;
    }
    case GateAction::Pace: {
      const std::int64_t now = s.event.pace_per_minute;
      const std::int64_t slower =
          now > 0 ? std::max<std::int64_t>(1, now / 2) : kPacePerMinuteFirst;
      if (slower == now) return {};
      std::vector<Payload> out{PaceSet{s.name, slower, failure.why}};
      for (Payload& payload :
           page_of(s, AlertCause::Gate, failure.gate,
                   fmt::format("{} is paced to {} sessions a minute: {}; it stays in its stage: "
                               "step back and try it again, or roll back",
                               s.name, slower, failure.why)))
        out.push_back(std::move(payload));
      return out;
    }
    case GateAction::Warn:
      return {};
  }
  return {};
}

// At full pace a fleet that was too small for it may be too small again: not at once.
constexpr Duration kPaceReturnsAfter = minutes(5);

// The gates that slow it have passed for a while, and nothing else holds it back: its pace is the
// manifest's.
std::vector<Payload> return_to_pace(const Subject& s, const GateLooked& look) {
  if (!s.event.paced_by_gate || !blocked(s).empty()) return {};
  bool passes = false;
  for (const GateReading& reading : look.readings) {
    const GateSpec* gate = gate_of(s.spec(), reading.gate);
    if (!gate || gate->on_fail != GateAction::Pace) continue;
    const auto standing = s.event.gates.find(reading.gate);
    passes = reading.verdict == Verdict::Pass && standing != s.event.gates.end() &&
             standing->second.verdict == VerdictName::Pass &&
             s.now - standing->second.since >= kPaceReturnsAfter;
    if (!passes) return {};
  }
  if (!passes) return {};
  return {
      PaceSet{s.name, s.spec().intake.pace_per_minute,
              fmt::format("what slowed it has passed for {}", format_duration(kPaceReturnsAfter))}};
}

// Twice the share, at most half way to the next stage; once a stage. Widening gathers evidence, it
// is no promotion. Its arms are other arms: what was gathered in the old share speaks of the old
// split, so the stage bakes anew.
std::vector<Payload> widen(const Subject& s, const std::string& why) {
  const std::int64_t next = s.is_last_stage()
                                ? s.event.exposure_ppm
                                : s.spec().stages[std::size_t(s.event.stage) + 1].exposure_ppm;
  // Never past half way to the next stage: the advance after it must still widen.
  const std::int64_t wider = std::min(2 * s.event.exposure_ppm, (s.event.exposure_ppm + next) / 2);
  if (s.event.widened || wider <= s.event.exposure_ppm) return hold(s, HoldCause::Thin, why, true);
  return {ExposureWidened{s.name, wider, why, s.event.visit + 1}};
}

std::vector<Payload> stage_ends(const Subject& s, const GateLooked& look,
                                const GateReading& whole) {
  const Duration baked = seconds(look.evidence_s);
  const StageSpec& stage = *s.stage();
  if (whole.verdict == Verdict::Skewed) {
    return hold(s, HoldCause::Gate, "the split of units is not what was asked for: " + whole.why,
                true);
  }
  if (whole.verdict == Verdict::Pass && baked >= stage.bake_min) {
    // It will be asked again at the next tick.
    if (!blocked(s).empty() || !lacks_capacity(s).empty()) return {};
    return advance(
        s, fmt::format("passed after {} of evidence: {}", format_duration(baked), whole.why));
  }
  const Duration bake_max = stage.bake_max.value_or(stage.bake_min);
  // Evidence that does not come makes no bake: then the time itself ends it.
  const bool over = s.now - s.event.stage_since >= 2 * bake_max ||
                    (whole.verdict != Verdict::Blind && baked >= bake_max);
  if (!over || whole.verdict == Verdict::Pass) return {};
  const std::string why = fmt::format("{} after {}: {}", to_string(whole.verdict),
                                      format_duration(bake_max), whole.why);
  if (whole.verdict == Verdict::Blind || whole.verdict == Verdict::Fail || s.event.hold)
    return hold(s, HoldCause::Gate, why, true);
  switch (s.spec().on_thin) {
    case OnThin::Hold:
      return hold(s, HoldCause::Thin, why, true);
    case OnThin::Ask:
      return hold(s, HoldCause::Thin, why + "; promote to vouch for it, or roll back", true);
    case OnThin::Widen:
      return widen(s, why);
  }
  return {};
}

// Divert, hold and pace act once; rollback and step back end the visit, so they can only act once.
std::vector<Payload> act(const Subject& s, const std::vector<Failure>& failures,
                         const Failure& worst) {
  const bool is_new = std::any_of(failures.begin(), failures.end(),
                                  [](const Failure& failure) { return failure.is_new; });
  if (!is_new && gravity(worst.action) < gravity(GateAction::StepBack)) return {};
  return act_on(s, worst);
}

std::vector<Payload> go_on(const Subject& s, const GateLooked& look,
                           const std::vector<Failure>& failures) {
  std::vector<Payload> out = warn(s, failures);
  if (out.empty() && failures.empty()) out = return_to_pace(s, look);
  if (!out.empty() || s.event.phase != Phase::RollingOut) return out;
  for (const GateReading& reading : look.readings) {
    if (reading.gate.empty()) out = stage_ends(s, look, reading);
  }
  return out;
}

// What ends it is told with its reasons, whatever it waits for besides.
bool stage_may_end(const Subject& s, const GateLooked& look) {
  if (s.event.phase != Phase::RollingOut || !s.stage()) return false;
  const StageSpec& stage = *s.stage();
  return seconds(look.evidence_s) >= stage.bake_min ||
         s.now - s.event.stage_since >= 2 * stage.bake_max.value_or(stage.bake_min);
}

}  // namespace

bool look_may_matter(const World& world, const GateLooked& verdicts, Instant now) {
  const auto s = subject_of(world, verdicts.event, now);
  if (s && stage_may_end(*s, verdicts)) return true;
  const auto decision = decide_look(world, verdicts, now);
  return !decision || !decision->payloads.empty();
}

Result<Decision> decide_look(const World& world, const GateLooked& look, Instant now) {
  const auto s = subject_of(world, look.event, now);
  Decision out;
  // Evidence of a stage that is over says nothing any more.
  if (!s || !may_admit(s->event.phase) || s->event.revision != look.revision ||
      s->event.visit != look.visit)
    return out;
  if (s->event.phase == Phase::Live && !watch_is_on(*s)) return out;
  out.payloads = changed_verdicts(*s, look);
  out.touched = {look.event};
  const std::vector<Failure> failures = failures_of(*s, look);
  const auto worst = std::max_element(
      failures.begin(), failures.end(),
      [](const Failure& a, const Failure& b) { return gravity(a.action) < gravity(b.action); });
  const bool acts = worst != failures.end() && worst->action != GateAction::Warn;
  for (Payload& payload : acts ? act(*s, failures, *worst) : go_on(*s, look, failures))
    out.payloads.push_back(std::move(payload));
  return out;
}

}  // namespace showcaller
