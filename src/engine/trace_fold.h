// SPDX-License-Identifier: Apache-2.0
// Spans of LiveEvents, from the journal's records alone: what lies between two worlds. Pure: a
// replay tells the same spans, and so does a fold that begins at any later world.
//
// Each revision has a trace to itself (model/revision_trace.h). Its root is the moment it was
// applied, linked to the request that did it and to the revision before; below are phases, stages,
// gates, readiness checks, holds, steps, instances and commands. A span is told when it is over.
// docs/observability.md has the table.
//
// Threads: none. Cost: that of evolve().
#pragma once

#include <string>
#include <vector>

#include "codec/span.h"
#include "model/world.h"

namespace showcaller {

// Where a record stands: its trace, and the span it ended, or in which it happened. Empty: in none.
struct TracePlace {
  std::string trace, span;
  friend bool operator==(const TracePlace&, const TracePlace&) = default;
};

// What goes on in the event: its stage, or its revision as a whole.
TracePlace place_of(const EventState& event);

class TraceFold {
 public:
  // From that world on. A World is shared, not copied.
  explicit TraceFold(World world) : world_(std::move(world)) {}

  std::uint64_t seq() const { return world_.seq; }
  // The next record; spans that ended with it are added.
  TracePlace take(const Record& record, std::vector<Span>* ended);

 private:
  World world_;
};

}  // namespace showcaller
