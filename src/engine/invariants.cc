// SPDX-License-Identifier: Apache-2.0
#include "engine/invariants.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/explain.h"
#include "engine/view.h"
#include "policy/approvals.h"
#include "policy/freezes.h"
#include "policy/gate_proofs.h"
#include "policy/policies.h"

namespace showcaller {
namespace {

const GateSpec* gate_of(const LiveEventSpec& spec, const std::string& name) {
  const auto at = std::ranges::find(spec.gates, name, &GateSpec::name);
  return at == spec.gates.end() ? nullptr : &*at;
}

bool is_back(StepState state) {
  return state == StepState::Undone || state == StepState::Pending;
}

// What an engine may do about a gate that failed.
bool answers_a_failure(const Payload& payload) {
  return std::holds_alternative<PhaseChanged>(payload) ||
         std::holds_alternative<StageEntered>(payload) || std::holds_alternative<HoldSet>(payload);
}

// Freezes and lines are read once more here, as simply as can be, beside the policies that decide:
// what reads them wrongly there must not be asked whether it read them rightly.
bool is_frozen(const World& world, const EventState& event, Instant wall) {
  bool frozen = false;
  each_policy(world, [&](const Manifest&, const PolicySpec& policy) {
    if (policy.audit_only || !policy.exceptions.empty()) return;  // Exceptions are others' to test.
    for (const FreezeSpec& freeze : policy.freezes) {
      const auto has = [](const std::vector<std::string>& names, const std::string& name) {
        return std::ranges::find(names, name) != names.end();
      };
      frozen = frozen || (freeze.from <= wall && wall < freeze.to &&
                          (freeze.owners.empty() || has(freeze.owners, event.manifest->owner)) &&
                          !has(freeze.except_events, event.manifest->name));
    }
  });
  return frozen && event.glass.empty();
}

bool is_on_a_stopped_line(const World& world, const EventState& event) {
  return world.lines.find("") || world.lines.find("event/" + event.manifest->name) ||
         world.lines.find("owner/" + event.manifest->owner);
}

}  // namespace

void Invariants::require(bool holds, const std::string& what) {
  if (holds) return;
  broken_.push_back(
      record_ ? fmt::format("{}: record {}: {}", what, record_->seq, record_line(*record_)) : what);
}

void Invariants::take(const Record& record) {
  record_ = &record;
  check_order(record);
  settle_debts(record);
  std::visit([this](const auto& payload) { check(payload); }, record.payload);
  const Status folded = evolve(&world_, record);
  require(folded.has_value(), folded ? "" : folded.error().message);
  check_world();
  record_ = nullptr;
}

void Invariants::rest() {
  for (const auto& [event, debt] : owed_)
    require(false, fmt::format("nothing followed from the failure of {} of {}", debt.first, event));
}

void Invariants::check_order(const Record& record) {
  require(record.seq == world_.seq + 1, "a record is missing");
  require(record.time >= world_.time, "time goes backwards");
  require(record.key.empty() || keys_.insert(record.key).second, "a key has two effects");
}

void Invariants::check(const StageEntered& entered) {
  const EventState& event = *world_.event(entered.event);
  const bool grows = entered.stage > event.stage;
  const bool by_engine = record_->actor == kEngineActor;
  // Operators promote what they vouch for; by itself nothing grows that is held, or whose evidence
  // says anything but pass.
  if (grows && by_engine) {
    require(!event.hold, "a held event grew");
    const auto whole = event.gates.find("");
    require(whole == event.gates.end() || whole->second.visit != event.visit ||
                whole->second.verdict == VerdictName::Pass,
            "a stage grew that has not passed");
  }
  if (grows) {
    const auto why = exposure_blocked(world_, event, record_->time);
    require(!why, "an event grew although: " + why.value_or(""));
    require(!is_frozen(world_, event, world_.wall(record_->time)), "a frozen event grew");
    require(!is_on_a_stopped_line(world_, event), "an event grew on a stopped line");
  }
  require(entered.stage <= event.stage + 1, "a stage was left out");
  require(may_admit(event.phase), "a stage was entered in a phase that admits nobody");
  require(entered.exposure_ppm == event.spec().stages[std::size_t(entered.stage)].exposure_ppm,
          "a stage has another exposure than its manifest says");
  baking_since_[entered.event] = record_->time;
}

// The least important first, under stress alone, and no nearer to the last move than the dwell.
void Invariants::check(const FeatureWithdrawn& withdrawn) {
  const ServiceState* state = world_.services.find(withdrawn.service);
  const ServiceSpec* spec = world_.service(withdrawn.service);
  if (withdrawn.by_hand) return require(spec != nullptr, "a feature of no service was withdrawn");
  require(state && state->stressed, "a feature was withdrawn without stress");
  require(spec != nullptr, "a feature of no service was withdrawn");
  if (!state || !spec) return;
  require(record_->time - state->moved >= spec->degradation.dwell, "features flap");
  const auto is_let_be = [&](const FeatureSpec& feature) {
    return feature.flag.empty() ||
           std::ranges::find(state->kept, feature.name) != state->kept.end();
  };
  std::size_t before = 0;
  for (const FeatureSpec& feature : spec->features) {
    require(feature.name != withdrawn.feature || !is_let_be(feature),
            "a feature was withdrawn that somebody had given back under this stress");
    if (feature.name == withdrawn.feature) break;
    before += is_let_be(feature) ? 0 : 1;
  }
  require(before <= state->withdrawn.size(), "a more important feature was withdrawn first");
}

void Invariants::check(const FeatureReturned& returned) {
  const ServiceState* state = world_.services.find(returned.service);
  const ServiceSpec* spec = world_.service(returned.service);
  const WithdrawnFeature* last = nullptr;  // of those that may come back by themselves
  bool by_hand = false;
  if (state) {
    for (const WithdrawnFeature& gone : state->withdrawn) {
      if (gone.by.empty() || !spec) last = &gone;
      by_hand |= gone.feature == returned.feature;
    }
  }
  if (returned.by_hand) return require(by_hand, "a feature came back that was not withdrawn");
  require(last && last->feature == returned.feature,
          "a feature came back before those that went after it");
  if (!state || !spec) return;  // All of a service that is gone come back at once.
  require(!state->stressed, "a feature came back under stress");
  require(record_->time - state->moved >= spec->degradation.dwell, "features flap");
}

void Invariants::check(const ExposureWidened& widened) {
  if (widened.visit > 0) baking_since_[widened.event] = record_->time;
}

void Invariants::check(const ServerStarted& started) {
  for (auto& [event, since] : baking_since_)
    since += Duration(std::max<std::int64_t>(0, started.down_ms));
}

// Looked for bucket by bucket: who divides the group must not be asked whether he did so rightly.
void Invariants::check(const ExposureBounded& bounded) {
  const EventState& event = *world_.event(bounded.event);
  require(event.stage < 0 || !may_admit(event.phase),
          "the bounds of an event changed with players in it");
  const auto meets = [&](const BucketRanges& theirs) {
    return std::ranges::any_of(theirs, [&](const auto& range) {
      return std::ranges::any_of(bounded.bounds.buckets, [&](const auto& own) {
        return own.first < range.second && range.first < own.second;
      });
    });
  };
  world_.events.each([&](const std::string& name, const EventState& other) {
    if (name == bounded.event || !may_admit(other.phase) || !other.bounds) return;
    require(other.bounds->group != bounded.bounds.group || !meets(other.bounds->buckets),
            "two events of one exclusion group may touch one player");
  });
}

void Invariants::check(const FlagReopened& reopened) {
  const FlagSwitch* kill = world_.killed(reopened.flag);
  require(kill && kill->reopened + 1 == reopened.reopened,
          "a flag was re-opened that was not killed");
}

void Invariants::check(const AlertOpened& opened) {
  world_.alerts.each([&](const std::string& id, const Alert& alert) {
    if (std::ranges::find(opened.absorbs, id) != opened.absorbs.end()) return;
    for (const AlertMember& member : alert.members) {
      require(
          member.over || !member.is_same_as({opened.subject, opened.cause, opened.detail, false}),
          fmt::format("one cause has two alerts: {} of {}", enum_name(opened.cause),
                      opened.subject));
    }
  });
}

// Nobody is called for what somebody looks after, or for what is silent.
void Invariants::check(const AlertChanged& changed) {
  const Alert* alert = world_.alerts.find(changed.id);
  if (!alert || changed.move != AlertMove::Escalated) return;
  require(!alert->is_acknowledged(), "somebody is called for an alert that is acknowledged");
  world_.silences.each([&](const std::string&, const Silence& silence) {
    const bool holds = silence.until == Instant{} || record_->time < silence.until;
    require(alert->members.size() > 1 || !holds || silence.subject != alert->own().subject,
            "somebody is called for what is silenced");
  });
}

// By itself no stage ends that is held, or has not baked for as long as it has to, downtime not
// counted.
void Invariants::check_end_of_stage(const EventState& event, const std::string& name) {
  const auto since = baking_since_.find(name);
  if (record_->actor != kEngineActor || since == baking_since_.end() || event.stage < 0) return;
  require(!event.hold, "a held event went on");
  require(record_->time - since->second >= event.spec().stages[std::size_t(event.stage)].bake_min,
          "a stage ended before its time");
}

void Invariants::check_drained(const EventState& event, const std::string& name) {
  for (const Change& change : event.spec().changes) {
    const auto* build = std::get_if<BuildChange>(&change.what);
    const FleetSpec* fleet = build ? world_.fleet(build->fleet) : nullptr;
    if (!fleet || fleet->base == build->version) continue;
    bool wanted = false;  // by another event
    world_.events.each([&](const std::string& other, const EventState& its) {
      if (other == name || !layer_is_active(its.phase)) return;
      for (const Change& theirs : its.spec().changes) {
        const auto* same = std::get_if<BuildChange>(&theirs.what);
        wanted = wanted || (same && same->fleet == build->fleet && same->version == build->version);
      }
    });
    world_.instances.each([&](const std::string& id, const Instance& instance) {
      require(wanted || instance.fleet != build->fleet || instance.build != build->version,
              fmt::format("an event is rolled back while {} runs", id));
    });
  }
}

void Invariants::check(const IntakeChanged& intake) {
  const EventState& event = *world_.event(intake.event);
  require(intake.to != IntakeState::Open || may_admit(event.phase),
          "intake opened in a phase that admits nobody");
}

// By the records alone, whatever a revision makes of the event's steps: what an action did, or may
// have done, is undone when the event ends undone.
void Invariants::check(const PhaseChanged& moved) {
  for (const Step& step : *world_.event(moved.event)->steps) {
    require(moved.to != Phase::RolledBack || is_back(step.state),
            "an event is rolled back with a step that is not undone");
    require(moved.to != Phase::Ready || step.state == StepState::Done,
            "an event is ready with a step that is not done");
  }
  const EventState& event = *world_.event(moved.event);
  if (moved.input == PhaseInput::Advance || moved.input == PhaseInput::GoLive)
    check_end_of_stage(event, moved.event);
  if (moved.to == Phase::RolledBack) check_drained(event, moved.event);
  if (moved.to == Phase::Approved) {
    require(approvals_complete(world_, *world_.event(moved.event), record_->time),
            "an approval was passed by");
  }
  require(moved.to != Phase::RollbackStuck || !moved.reason.empty(),
          "a stuck rollback does not say where");
  if (moved.to == Phase::RolledBack || moved.to == Phase::Cancelled)
    require(effects_[moved.event].empty(), "an action was left done");
  if (is_over(moved.to)) effects_.erase(moved.event);
}

// Forward in order, backward in reverse.
void Invariants::check(const StepStarted& step) {
  const EventState& event = *world_.event(step.event);
  for (int i = 0; i < int(event.steps->size()); ++i) {
    const StepState state = (*event.steps)[std::size_t(i)].state;
    if (step.direction == StepDirection::Do && i < step.step)
      require(state == StepState::Done, "a step began before the one before it was done");
    if (step.direction == StepDirection::Undo && i > step.step)
      require(is_back(state), "a step was undone before the one after it");
  }
}

void Invariants::check(const StepFinished& step) {
  const Change& change = world_.event(step.event)->spec().changes[std::size_t(step.step)];
  if (!std::holds_alternative<ActionChange>(change.what)) return;
  auto& effects = effects_[step.event];
  if (step.direction == StepDirection::Do && step.outcome != StepOutcome::Failed)
    effects.insert(change.path());
  if (step.direction == StepDirection::Undo && step.outcome == StepOutcome::Done)
    effects.erase(change.path());
}

// A gate that fails is answered at that very time, if it does more than warn. What is held already
// may stay so.
void Invariants::check(const VerdictChanged& verdict) {
  const EventState& event = *world_.event(verdict.event);
  const GateSpec* gate = gate_of(event.spec(), verdict.gate);
  if (verdict.verdict != VerdictName::Fail || !gate || event.hold) return;
  if (gate->on_fail == GateAction::Warn || gate->on_fail == GateAction::Pace) return;
  if (!why_only_warns(world_, event, *gate).empty()) return;
  owed_[verdict.event] = {verdict.gate, record_->time};
}

void Invariants::settle_debts(const Record& record) {
  if (answers_a_failure(record.payload)) owed_.erase(event_of(record.payload));
  std::erase_if(owed_, [&](const auto& each) {
    const auto& [event, debt] = each;
    const bool late = record.time > debt.second;
    require(!late, fmt::format("nothing followed from the failure of {} of {}", debt.first, event));
    return late;
  });
}

void Invariants::check_world() {
  world_.events.each([&](const std::string& name, const EventState& event) {
    const bool admits = may_admit(event.phase);
    require(admits || event.intake != IntakeState::Open,
            name + " has its intake open in a phase that admits nobody");
    if (event.stage < 0 || !admits) return;
    const auto& stages = event.spec().stages;
    const std::int64_t next =
        stages[std::min(stages.size() - 1, std::size_t(event.stage) + 1)].exposure_ppm;
    require(event.exposure_ppm <=
                (event.widened ? next : stages[std::size_t(event.stage)].exposure_ppm),
            name + " admits more than its stage");
  });
}

}  // namespace showcaller
