// SPDX-License-Identifier: Apache-2.0
// The change-set as a saga: which step comes next, when an attempt is repeated, and when it is
// given up.
//
// Steps are done one after another in the order of the change-set while the event is prepared, and
// undone in reverse while it is rolled back: whatever was begun, also what failed or whose outcome
// nobody knows. Builds, flags, config and bundles are steps of the layer itself: their record is
// their effect, for the desired state is base ⊕ active layers. Actions are calls to other services:
// started, on disk, before the call; then their outcome. An unknown outcome is tried again with the
// same key after a back-off that doubles, at most kStepAttemptsMax times; then the step has Failed,
// or its undo is Stuck, and its detail says why. What cannot be undone is passed over with a note.
//
// Pure: the same state and time give the same move. A move changes the state, so ask again after
// folding it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flow/port/action.h"
#include "model/world.h"

namespace showcaller {

constexpr std::int64_t kStepAttemptsMax = 10;
constexpr Duration kStepBackoffFirst = seconds(1);
constexpr Duration kStepBackoffMax = minutes(1);
// How long after its timeout the outcome of a call may still come before it counts as lost.
constexpr Duration kStepAnswerGrace = seconds(5);

// One move: an attempt begins, or one ends without a call, or both at once.
struct SagaMove {
  std::optional<StepStarted> started;
  std::optional<StepFinished> finished;
};
// Whether a step that nobody has begun may begin; what was begun goes on, and undoing never waits.
enum class NewSteps { MayBegin, Wait };
std::optional<SagaMove> next_move(const EventState& event, Instant now, NewSteps steps);
// The same as payloads, in order; empty: nothing to do now.
std::vector<Payload> next_saga_move(const std::string& name, const EventState& event, Instant now,
                                    NewSteps steps);
// Before the (attempt + 1)th attempt.
Duration step_backoff(std::int64_t attempt);

// "winter-raid/r7/s2/undo"; "winter-raid/r7/s2/undo/7f3a1c" when it began after a restore, whose
// lost records may have used the former for something else.
std::string step_idempotency_key(std::string_view event, std::int64_t revision, int step,
                                 StepDirection direction, std::string_view lineage = {});

// The calls that should be on their way now, over all events, in order of event and step. A host
// sends each (key, attempt) once; after a crash it sends again what is still wanted.
std::vector<ActionCall> wanted_calls(const World& world, Instant now);
// Where an action goes: a URL stands for itself; otherwise the first part of the path names a
// Service, and the rest is appended to its URL: "grants/open" with Service grants at http://h:1/api
// is http://h:1/api/open.
Result<std::string> action_url(const World& world, std::string_view path);

}  // namespace showcaller
