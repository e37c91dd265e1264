// SPDX-License-Identifier: Apache-2.0
// Ids of the trace that a LiveEvent's revision has to itself. All of them follow from what the
// journal knows, so that a replay, another thread and a program that was restarted come to the
// same ones, and so that whoever sends a traceparent out names the span that is told later.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/world.h"

namespace showcaller {

// Of a revision whose request belonged to the trace `callers`: 32 hex digits. Empty: the request
// had none (a rehearsal), and nothing is traced.
std::string revision_trace_id(std::string_view event, std::int64_t revision, std::string_view hash,
                              std::string_view callers);

// Ids of spans, 16 hex digits: `what` and `which` name one in its trace.
std::string span_id_of(std::string_view trace, std::string_view what, std::string_view which);
// One attempt of a step of the change-set; an action is called with it.
std::string step_span_id(std::string_view trace, int step, StepDirection direction,
                         std::int64_t attempt);
// From an instance being wanted to its being ready; its game server is started with it.
std::string instance_span_id(std::string_view trace, std::string_view instance);

// The trace of the revision that brings a build to a fleet; empty: none does, or it has none.
std::string trace_of_build(const World& world, std::string_view fleet, std::string_view build);

}  // namespace showcaller
