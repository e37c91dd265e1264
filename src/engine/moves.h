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
  Instant now;

  const LiveEventSpec& spec() const { return event.spec(); }
  const StageSpec* stage() const;
  bool is_last_stage() const { return event.stage + 1 == int(spec().stages.size()); }
};

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
std::vector<Payload> end_event(const Subject& subject, std::string reason);
PageRaised page_of(const Subject& subject, std::string text);  // to its owner
std::vector<Payload> hold(const Subject& subject, HoldCause cause, std::string reason, bool page);

// Of the regions' own times.
Instant latest_of(const ScheduledTime& time);

// At the schedule's start: everywhere, or in the next region whose own start has come.
std::vector<Payload> open_next_doors(const Subject& subject);

// Why exposure may not grow now: held, line stopped, frozen. Empty: it may.
std::string blocked(const Subject& subject);

// Whether a capacity check speaks of the stage that comes next: one made before the event was
// ready, or in a stage before, says nothing of it.
bool capacity_is_fresh(const Subject& subject, const ReadinessStanding& standing);
// What the next stage's share (before the first stage: the first's) has no room for. Empty: it
// fits, or there is no next stage.
std::string lacks_capacity(const Subject& subject);

std::vector<std::string> required_checks(const LiveEventSpec& spec);

}  // namespace showcaller
