// SPDX-License-Identifier: Apache-2.0
#include "engine/moves.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/deliberate_bug.h"
#include "compute/fleet_capacity.h"
#include "engine/alert_plan.h"
#include "engine/alert_subjects.h"
#include "model/exposure.h"
#include "model/manifest/layers.h"
#include "policy/freezes.h"

namespace showcaller {
std::vector<Payload> page_of(const Subject& subject, AlertCause cause, std::string detail,
                             std::string text) {
  AlertOpened page;
  page.subject = subject_name(Kind::LiveEvent, subject.name);
  page.cause = cause;
  page.detail = std::move(detail);
  page.text = std::move(text);
  if (cause == AlertCause::RollbackStuck)
    page.next_steps = {"showcaller explain " + subject.name,
                       "mend the step, then: showcaller rollback " + subject.name};
  return raise_alert(subject.world, std::move(page), subject.now);
}

namespace {

void append(std::vector<Payload>* out, std::vector<Payload> more) {
  for (Payload& payload : more) out->push_back(std::move(payload));
}

}  // namespace

const StageSpec* Subject::stage() const {
  const auto& stages = spec().stages;
  return event.stage >= 0 && std::size_t(event.stage) < stages.size()
             ? &stages[std::size_t(event.stage)]
             : nullptr;
}

std::optional<Subject> subject_of(const World& world, const std::string& name, Instant now) {
  const EventState* event = world.event(name);
  if (!event) return std::nullopt;
  return Subject{world, name, *event, now};
}

Payload change_phase(const Subject& subject, PhaseInput input, std::string reason) {
  const Outcome outcome = outcome_of(subject.event.phase, input);
  CHECK(outcome.allowed);
  return PhaseChanged{subject.name, subject.event.revision, subject.event.phase, outcome.to,
                      input,        std::move(reason)};
}

std::vector<Payload> enter_stage(const Subject& subject, int stage, std::string reason) {
  const StageSpec& spec = subject.spec().stages[std::size_t(stage)];
  return {StageEntered{subject.name, subject.event.revision, stage, spec.name,
                       reached_ppm(subject.event, stage), subject.event.visit + 1,
                       std::move(reason)}};
}

std::vector<Payload> advance(const Subject& subject, std::string reason) {
  if (subject.is_last_stage())
    return {change_phase(subject, PhaseInput::GoLive, std::move(reason))};
  std::vector<Payload> out{change_phase(subject, PhaseInput::Advance, reason)};
  for (Payload& payload : enter_stage(subject, subject.event.stage + 1, std::move(reason))) {
    out.push_back(std::move(payload));
  }
  return out;
}

std::vector<Payload> step_back(const Subject& subject, std::string reason) {
  if (subject.event.phase != Phase::RollingOut || subject.event.stage <= 0) {
    return roll_back(subject, std::move(reason), true);
  }
  std::vector<Payload> out{change_phase(subject, PhaseInput::StepBack, reason)};
  for (Payload& payload : enter_stage(subject, subject.event.stage - 1, std::move(reason))) {
    out.push_back(std::move(payload));
  }
  return out;
}

std::vector<Payload> roll_back(const Subject& subject, std::string reason, bool page) {
  std::vector<Payload> out;
  // Intake closes first: who reads the records in order never sees an open door on an event that is
  // being undone.
  if (subject.event.intake != IntakeState::Closed && !broken(DeliberateBug::IntakeLeftOpen)) {
    out.push_back(IntakeChanged{subject.name, IntakeState::Closed, {}, reason});
  }
  out.push_back(change_phase(subject, PhaseInput::Rollback, reason));
  if (subject.event.hold) out.push_back(HoldLifted{subject.name, "rolled back"});
  if (page)
    append(&out, page_of(subject, AlertCause::Rollback, {},
                         fmt::format("{} is rolled back: {}", subject.name, reason)));
  return out;
}

std::vector<Payload> end_event(const Subject& subject, std::string reason) {
  // Before anybody was let in the end is a cancellation, which undoes what actions did.
  if (!may_admit(subject.event.phase) && has_outside_effects(subject.event))
    return roll_back(subject, std::move(reason), false);
  std::vector<Payload> out;
  if (subject.event.intake != IntakeState::Closed) {
    out.push_back(IntakeChanged{subject.name, IntakeState::Closed, {}, reason});
  }
  out.push_back(change_phase(subject, PhaseInput::End, std::move(reason)));
  return out;
}

std::vector<Payload> hold(const Subject& subject, HoldCause cause, std::string reason, bool page) {
  if (subject.event.hold) return {};
  std::vector<Payload> out{HoldSet{subject.name, cause, reason}};
  if (page)
    append(&out, page_of(subject, AlertCause::Held, std::string(enum_name(cause)),
                         fmt::format("{} is held: {}", subject.name, reason)));
  return out;
}

Instant latest_of(const ScheduledTime& time) {
  Instant latest = time.at;
  for (const auto& [region, at] : time.by_region) latest = std::max(latest, at);
  return latest;
}

std::vector<Payload> open_next_doors(const Subject& subject) {
  const ScheduledTime& start = *subject.spec().schedule.start;
  if (subject.wall() >= latest_of(start) || subject.spec().intake.waves == "none")
    return {IntakeChanged{subject.name, IntakeState::Open, {}, "the schedule's start"}};
  const auto& open = subject.event.open_regions;
  for (const auto& [region, at] : start.by_region) {
    if (subject.wall() < at || std::find(open.begin(), open.end(), region) != open.end()) continue;
    return {
        IntakeChanged{subject.name, IntakeState::Open, region, "the start in its own time zone"}};
  }
  return {};
}

std::vector<Payload> close_next_doors(const Subject& subject) {
  const auto& end = subject.spec().schedule.end;
  if (!end || subject.spec().intake.waves == "none" || !may_admit(subject.event.phase) ||
      subject.event.intake == IntakeState::Closed)
    return {};
  const auto& closed = subject.event.closed_regions;
  for (const auto& [region, at] : end->by_region) {
    if (subject.wall() < at || std::find(closed.begin(), closed.end(), region) != closed.end())
      continue;
    return {
        IntakeChanged{subject.name, IntakeState::Closed, region, "the end in its own time zone"}};
  }
  return {};
}

bool has_outside_effects(const EventState& event) {
  for (std::size_t i = 0; i < event.steps->size(); ++i) {
    const StepState state = (*event.steps)[i].state;
    const bool ran = state != StepState::Pending && state != StepState::Undone;
    if (ran && std::holds_alternative<ActionChange>(event.spec().changes[i].what)) return true;
  }
  return false;
}

bool watch_is_on(const Subject& subject) {
  if (subject.event.phase != Phase::Live) return false;
  const WatchSpec& watch = subject.spec().watch;
  return watch.until_end ||
         (watch.duration && subject.now - subject.event.phase_since < *watch.duration);
}

std::string meets_another_layer(const Subject& subject) {
  std::vector<const Manifest*> events;
  subject.world.events.each([&](const std::string&, const EventState& event) {
    if (!is_over(event.phase)) events.push_back(event.manifest.get());
  });
  for (const LayerConflict& conflict : find_layer_conflicts(events, LayersMeet::Always)) {
    const bool concerned =
        conflict.event->name == subject.name || conflict.other->name == subject.name;
    if (!concerned) continue;
    const std::string& other =
        conflict.event->name == subject.name ? conflict.other->name : conflict.event->name;
    const Phase phase = subject.world.event(other)->phase;
    if (!layer_is_active(phase)) continue;
    return fmt::format(
        "{} is still changed by LiveEvent '{}' ({}), and nothing says which of the "
        "two lies above; wait for its end, retire it, or give one a `priority` or "
        "`after`",
        conflict.path, other, enum_name(phase));
  }
  return {};
}

namespace {

bool another_wants(const Subject& subject, const BuildChange& build) {
  bool wanted = false;
  subject.world.events.each([&](const std::string& name, const EventState& other) {
    if (name == subject.name || !layer_is_active(other.phase)) return;
    for (const Change& change : other.spec().changes) {
      const auto* its = std::get_if<BuildChange>(&change.what);
      wanted |= its && its->fleet == build.fleet && its->version == build.version;
    }
  });
  return wanted;
}

}  // namespace

std::string builds_that_run(const Subject& subject) {
  std::string out;
  for (const Change& change : subject.spec().changes) {
    const auto* build = std::get_if<BuildChange>(&change.what);
    const FleetSpec* fleet = build ? subject.world.fleet(build->fleet) : nullptr;
    if (!fleet || fleet->base == build->version || another_wants(subject, *build)) continue;
    std::int64_t running = 0;
    subject.world.instances.each_from(build->fleet + "/",
                                      [&](const std::string&, const Instance& instance) {
                                        const bool here = instance.fleet == build->fleet;
                                        running += here && instance.build == build->version ? 1 : 0;
                                        return here;
                                      });
    if (running == 0) continue;
    out += fmt::format("{}{} {} of build {} on fleet {}", out.empty() ? "" : ", ", running,
                       running == 1 ? "instance" : "instances", build->version, build->fleet);
  }
  return out;
}

std::string blocked(const Subject& subject) {
  if (subject.event.hold && !broken(DeliberateBug::HoldIgnored)) {
    return fmt::format("held by {}: {}", subject.event.hold->actor, subject.event.hold->reason);
  }
  if (auto why = exposure_blocked(subject.world, subject.event, subject.now)) return *why;
  return {};
}

bool capacity_is_fresh(const Subject& subject, const ReadinessStanding& standing) {
  switch (subject.event.phase) {
    case Phase::Ready:
      return standing.since > subject.event.phase_since;
    case Phase::RollingOut:
      return standing.since > subject.event.stage_since;
    default:
      return true;
  }
}

std::string lacks_capacity(const Subject& subject) {
  const LiveEventSpec& spec = subject.spec();
  const bool rolls_on = subject.event.phase == Phase::RollingOut && !subject.is_last_stage();
  if (subject.event.phase != Phase::Ready && !rolls_on) return {};
  for (const std::string& fleet : fleets_needed(spec)) {
    const auto at = subject.event.readiness.find(capacity_check(spec, fleet));
    if (at == subject.event.readiness.end() || !capacity_is_fresh(subject, at->second))
      return fmt::format("capacity: a look at fleet {}", fleet);
    if (!at->second.ready) return fmt::format("capacity: {}", at->second.detail);
  }
  return {};
}

std::vector<std::string> required_checks(const LiveEventSpec& spec) {
  std::vector<std::string> out;
  for (const std::string& fleet : fleets_needed(spec)) out.push_back(capacity_check(spec, fleet));
  if (!spec.readiness.client_protocol.empty()) out.push_back("client");
  if (spec.readiness.bundle_ready_at_ppm > 0) {
    for (const Change& change : spec.changes) {
      if (const auto* bundle = std::get_if<BundleChange>(&change.what))
        out.push_back("bundle:" + bundle->id);
    }
  }
  for (const std::string& probe : spec.readiness.probes) out.push_back("probe:" + probe);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace showcaller
