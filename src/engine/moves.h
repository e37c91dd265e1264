// SPDX-License-Identifier: Apache-2.0
// The compound moves of a LiveEvent, as payloads. Used by commands, gates and follow-ups alike, so
// that a rollback is a rollback whoever asks for it.
#pragma once

#include <string>
#include <vector>

#include "model/world.h"

namespace showcaller {

// An event under decision.
struct Subject {
  const World& world;
  const std::string& name;
  const EventState& event;
  Instant now;  // engine time

  Instant wall() const { return world.wall(now); }
  const LiveEventSpec& spec() const { return event.spec(); }
  const StageSpec* stage() const;
  bool is_last_stage() const { return event.stage + 1 == int(spec().stages.size()); }
};

// A wall clock that stepped may step back: what goes by dates waits.
constexpr Duration kClockSettles = minutes(1);
inline bool clock_is_settled(const World& world, Instant now) {
  return now - world.clock_stepped >= kClockSettles;
}

std::optional<Subject> subject_of(const World& world, const std::string& name, Instant now);

// The lifecycle's answer, as a record. CHECKs that the table allows it: ask outcome_of() first
// where it may not.
Payload change_phase(const Subject& subject, PhaseInput input, std::string reason);

std::vector<Payload> enter_stage(const Subject& subject, int stage, std::string reason);
std::vector<Payload> advance(const Subject& subject,
                             std::string reason);  // the next stage, or live
std::vector<Payload> step_back(const Subject& subject,
                               std::string reason);  // from the first stage: roll back
std::vector<Payload> roll_back(const Subject& subject, std::string reason, bool page);
// Before anybody was let in: what has acted outside is undone, and that is the end.
std::vector<Payload> end_event(const Subject& subject, std::string reason);
// To its owner, or part of an alert that is open: engine/alert_plan.h.
std::vector<Payload> page_of(const Subject& subject, AlertCause cause, std::string detail,
                             std::string text);
std::vector<Payload> hold(const Subject& subject, HoldCause cause, std::string reason, bool page);

// Of the regions' own times.
Instant latest_of(const ScheduledTime& time);

// At the schedule's start: everywhere, or in the next region whose own start has come.
std::vector<Payload> open_next_doors(const Subject& subject);
// Of the next region whose own end has come before the last one's.
std::vector<Payload> close_next_doors(const Subject& subject);

// Builds, flags and config are layers, gone with the phase; an action that ran has to be undone.
bool has_outside_effects(const EventState& event);

// Whether gates go on judging after the last stage.
bool watch_is_on(const Subject& subject);

// Whom the event would meet on one path with nothing that orders the two, as a sentence. Schedules
// keep such events apart; one that is held or late stays longer than planned. Empty: nobody.
std::string meets_another_layer(const Subject& subject);

// "3 instances of build 1.1.0 on fleet raid": of builds that the change-set brought and nobody else
// wants. Empty: none runs.
std::string builds_that_run(const Subject& subject);

// Why exposure may not grow now: held, line stopped, frozen, a proposed revision not approved.
// Empty: it may.
std::string blocked(const Subject& subject);

// Whether a capacity check speaks of the stage that comes next: one made before the event was
// ready, or in a stage before, says nothing of it.
bool capacity_is_fresh(const Subject& subject, const ReadinessStanding& standing);
// What the next stage's share (before the first stage: the first's) has no room for. Empty: it
// fits, or there is no next stage.
std::string lacks_capacity(const Subject& subject);

std::vector<std::string> required_checks(const LiveEventSpec& spec);

}  // namespace showcaller
