// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/view.h"
#include "policy/approvals.h"
#include "policy/freezes.h"

namespace showcaller::sim {
namespace {

constexpr std::size_t kViolationsMax = 20;  // a run; more help nobody

bool is_back(const Step& step) {
  return step.state == StepState::Undone || step.state == StepState::Pending;
}

const GateSpec* gate_of(const EventState& event, const std::string& name) {
  const auto& gates = event.spec().gates;
  const auto at = std::find_if(gates.begin(), gates.end(),
                               [&](const GateSpec& gate) { return gate.name == name; });
  return at == gates.end() ? nullptr : &*at;
}

}  // namespace

void Invariants::violated(std::string what) {
  if (violations_.size() < kViolationsMax) violations_.push_back(std::move(what));
}

void Invariants::violated(const std::string& what, const Record& record) {
  violated(fmt::format("{}: at record {} ({})", what, record.seq, record_line(record)));
}

void Invariants::follow(const Record& record) {
  check_chain(record);
  check_fails_are_answered(record);
  if (const auto* p = std::get_if<StageEntered>(&record.payload)) check_growth(*p, record);
  if (const auto* p = std::get_if<PhaseChanged>(&record.payload)) check_phase(*p, record);
  if (const auto* p = std::get_if<IntakeChanged>(&record.payload)) check_intake(*p, record);
  if (const auto* p = std::get_if<StepStarted>(&record.payload)) check_step(*p, record);
  if (const auto* p = std::get_if<StepFinished>(&record.payload)) note_effect(*p);
  if (const Status folded = evolve(&shadow_, record); !folded)
    violated("the fold refuses a record: " + folded.error().message, record);
  if (const auto* p = std::get_if<StageEntered>(&record.payload))
    visits_[{p->event, p->visit}] = {p->stage, p->exposure_ppm};
  if (const auto* p = std::get_if<ExposureWidened>(&record.payload); p && p->visit > 0)
    visits_[{p->event, p->visit}] = {shadow_.event(p->event)->stage, p->exposure_ppm};
  if (const auto* p = std::get_if<VerdictChanged>(&record.payload)) {
    const EventState& event = *shadow_.event(p->event);
    const GateSpec* gate = gate_of(event, p->gate);
    const bool undoes = gate && gate->on_fail == GateAction::Rollback;
    const bool by_clients = get_bool(p->statistics, "client_evidence_only");
    if (undoes && p->verdict == VerdictName::Fail && may_admit(event.phase) && !by_clients) {
      failing_.insert(p->event);
      failing_since_ = record.time;
    }
  }
  shadow_.events.each(
      [&](const std::string& name, const EventState&) { check_exposure(name, record); });
}

void Invariants::check_chain(const Record& record) {
  if (record.seq != shadow_.seq + 1) violated("a record is missing", record);
  if (record.time < shadow_.time) violated("time went back", record);
  if (!record.key.empty() && !keys_.insert(record.key).second)
    violated("the key " + record.key + " had its effect twice", record);
}

// The gate's own records come in one batch, at one time.
void Invariants::check_fails_are_answered(const Record& record) {
  if (failing_.empty() || record.time == failing_since_) return;
  for (const std::string& name : failing_) {
    const EventState* event = shadow_.event(name);
    if (event && may_admit(event->phase) && event->intake != IntakeState::Closed && !event->hold)
      violated(name + " still admits players after a gate that undoes it failed", record);
  }
  failing_.clear();
}

void Invariants::check_growth(const StageEntered& entered, const Record& record) {
  const EventState& event = *shadow_.event(entered.event);
  if (entered.stage > event.stage + 1) violated("a stage was passed over", record);
  if (!may_admit(event.phase)) violated("a stage of an event that admits nobody", record);
  if (entered.exposure_ppm > event.spec().stages[std::size_t(entered.stage)].exposure_ppm &&
      !event.widened_ppm.contains(entered.name))
    violated("a stage is let in further than the manifest says", record);
  if (entered.stage <= event.stage) return;
  const bool by_itself = record.actor == "engine" && record.cause == 0;
  if (by_itself && event.hold) violated("a held event advances", record);
  if (const auto why = exposure_blocked(shadow_, event, record.time))
    violated("an event advances although: " + *why, record);
  if (!approvals_complete(shadow_, event, record.time) && event.stage < 0)
    violated("players are let in without the approvals that it needs", record);
}

void Invariants::check_phase(const PhaseChanged& moved, const Record& record) {
  const EventState& event = *shadow_.event(moved.event);
  for (const Step& step : event.steps) {
    if (moved.to == Phase::RolledBack && !is_back(step))
      violated("a rollback ends with a step that is not undone", record);
    if (moved.to == Phase::Ready && step.state != StepState::Done)
      violated("an event is ready with a step that is not done", record);
  }
  if (moved.to == Phase::Approved && !approvals_complete(shadow_, event, record.time))
    violated("an approval was bypassed", record);
  if (moved.to == Phase::RollbackStuck && moved.reason.empty())
    violated("a stuck rollback does not say where", record);
  if (moved.to == Phase::RolledBack || moved.to == Phase::Cancelled) {
    for (const std::string& path : effects_[moved.event])
      violated(fmt::format("{} is left done", path), record);
  }
  if (is_over(moved.to)) {
    effects_.erase(moved.event);
    std::erase_if(let_in_, [&](const auto& each) { return each.first.first == moved.event; });
  }
}

void Invariants::check_intake(const IntakeChanged& changed, const Record& record) {
  const EventState& event = *shadow_.event(changed.event);
  if (changed.to == IntakeState::Open && !may_admit(event.phase))
    violated("intake opens for an event that admits nobody", record);
}

void Invariants::check_step(const StepStarted& step, const Record& record) {
  const EventState& event = *shadow_.event(step.event);
  for (int i = 0; i < int(event.steps.size()); ++i) {
    const Step& other = event.steps[std::size_t(i)];
    if (step.direction == StepDirection::Do && i < step.step && other.state != StepState::Done)
      violated("a step begins before the one ahead of it is done", record);
    if (step.direction == StepDirection::Undo && i > step.step && !is_back(other))
      violated("a step is undone before the one behind it", record);
  }
}

void Invariants::note_effect(const StepFinished& step) {
  const Change& change = shadow_.event(step.event)->spec().changes[std::size_t(step.step)];
  if (!std::holds_alternative<ActionChange>(change.what)) return;
  auto& effects = effects_[step.event];
  if (step.direction == StepDirection::Do && step.outcome != StepOutcome::Failed)
    effects.insert(change.path());
  if (step.direction == StepDirection::Undo && step.outcome == StepOutcome::Done)
    effects.erase(change.path());
}

void Invariants::check_exposure(const std::string& name, const Record& record) {
  const EventState& event = *shadow_.event(name);
  const bool admits = may_admit(event.phase);
  if (!admits && event.intake == IntakeState::Open)
    violated(name + " is open and admits nobody", record);
  if (!admits || event.stage < 0) return;
  const auto& stages = event.spec().stages;
  const std::size_t next = std::min(stages.size() - 1, std::size_t(event.stage) + 1);
  const std::int64_t most = stages[event.widened ? next : std::size_t(event.stage)].exposure_ppm;
  const bool was_widened = event.widened_ppm.contains(stages[std::size_t(event.stage)].name);
  if (event.exposure_ppm > most && !was_widened)
    violated(fmt::format("{} exposes {} ppm, its stage {}", name, event.exposure_ppm, most),
             record);
}

void Invariants::follow_session(const World& published, const std::string& fleet,
                                const std::string& instance, const std::string& party,
                                const std::vector<ArmAssignment>& arms) {
  const Instance* placed = published.instances.find(instance_key(fleet, instance));
  if (placed &&
      (placed->phase == InstancePhase::Draining || placed->phase == InstancePhase::Stopping))
    violated(fmt::format("a session of {} was given to {}, which is {}", party, instance,
                         enum_name(placed->phase)));
  if (published.quarantines.find(quarantine_key(QuarantineScope::Instance, fleet, instance)))
    violated(fmt::format("a session of {} was given to {}, which is quarantined", party, instance));
  for (const ArmAssignment& arm : arms) {
    const auto key = std::pair(arm.event, party);
    const auto before = let_in_.find(key);
    if (arm.arm == Arm::Canary && !arm.spilled) {
      let_in_[key] = arm.visit;
      continue;
    }
    if (before == let_in_.end() || arm.spilled) continue;
    const EventState* event = published.event(arm.event);
    if (!event || !may_admit(event->phase) || event->intake == IntakeState::Closed ||
        event->diverted || event->revision != arm.revision)
      continue;
    const Visit then = visits_[{arm.event, before->second}], now = visits_[{arm.event, arm.visit}];
    if (now.stage >= then.stage && now.exposure_ppm >= then.exposure_ppm)
      violated(fmt::format("{} was on the canary of {} in visit {} and is not in visit {}", party,
                           arm.event, before->second, arm.visit));
  }
}

void Invariants::compare(const World& live) {
  if (shadow_.seq != live.seq)
    return violated(
        fmt::format("{} records were followed, the world has {}", shadow_.seq, live.seq));
  const std::string folded = world_to_text(shadow_), there = world_to_text(live);
  if (folded == there) return;
  const auto differ = std::mismatch(folded.begin(), folded.end(), there.begin(), there.end());
  const std::size_t at = std::size_t(differ.first - folded.begin());
  const std::size_t from = at > 60 ? at - 60 : 0;
  violated(fmt::format("the records folded again give another world: '{}' instead of '{}'",
                       folded.substr(from, 120), there.substr(from, 120)));
}

}  // namespace showcaller::sim
