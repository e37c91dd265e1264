// SPDX-License-Identifier: Apache-2.0
// decide: (world, input, time) → payloads of records. The one place where the rules of compute,
// flow and policy meet.
//
// Pure. A decision never looks at anything but its arguments; the host gives it an envelope, folds
// it into the world (evolve) and asks follow() what comes of it, until nothing does.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/input.h"
#include "model/world.h"

namespace showcaller {

struct Decision {
  std::vector<Payload> payloads;
  std::vector<std::string> touched;  // LiveEvents to follow up; "*" is all
  std::vector<std::string> notes;    // for the one who commanded
};

// The first decision on an input. An error changes nothing.
Result<Decision> decide(const World& world, const Input& input, Instant now);

// What must happen next to a LiveEvent by itself: the first of the rules (follow.cc) that applies.
// Empty: nothing.
std::vector<Payload> follow(const World& world, const std::string& event, Instant now);

// What a LiveEvent waits for, one sentence each, for status and plan. Empty: nothing holds it up.
std::vector<std::string> waits_for(const World& world, const std::string& event, Instant now);

// Problems of a LiveEvent's manifest against the world: missing fleets, builds, flags, variants,
// metrics, services; nothing to roll out; conflicting layers.
std::vector<std::string> problems_against(const World& world, const Manifest& manifest);
// What an event that is not over uses now, and would no longer find (or find changed under a gate)
// in the world as it would be. Empty: nothing.
std::string taken_from_events(const World& world, const World& next);
// Of all manifests of a kind in the world but LiveEvents, sorted.
std::vector<std::string> names_of(const World& world, Kind kind);

// What comes of how fast an error budget burns. Empty: nothing is new.
std::vector<Payload> decide_burn(const World& world, const BurnReading& reading, Instant now);

// Whether a look may lead to anything, as far as its verdicts alone tell: its readings need no
// words and no statistics yet. One that may not need not be submitted.
bool look_may_matter(const World& world, const GateLooked& verdicts, Instant now);

}  // namespace showcaller
