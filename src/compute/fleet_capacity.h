// SPDX-License-Identifier: Apache-2.0
// Whether a fleet can take the players that a LiveEvent is about to bring: asked before the event
// becomes ready, and before each of its stages. Pure.
#pragma once

#include <string>
#include <vector>

#include "compute/fleet_view.h"

namespace showcaller {

struct CapacityStanding {
  bool ready = false;
  std::string detail;  // what is missing, or what is there
};

// The fleets whose capacity an event needs: those of its builds, and the one that its readiness
// names. Sorted.
std::vector<std::string> fleets_needed(const LiveEventSpec& spec);
// The readiness check of one of them: "capacity", or "capacity:raid" where there are several.
std::string capacity_check(const LiveEventSpec& spec, const std::string& fleet);

// Whether the event's build could take players: its minimum is ready in each region that a stage is
// for, and the fleet has the headroom that the manifest asks for.
//
// Asked from the forecast, it is held against the peak that the view's outlook has; where there is
// none, against what runs now, and the detail says so.
CapacityStanding capacity_standing(const World& world, const FleetView& view,
                                   const EventState& event, Instant now);

// Whether a stage's share of the sessions that run now fits what is there of the event's build,
// region by region. A tenth may be missing: it starts while the share fills. Where a region is
// full, all that the planner can give is enough: the rest comes as matches on other builds end.
//
// `was_ready`: it fitted at the last look. Then it takes a quarter missing to say otherwise, so
// that a few sessions more say nothing.
CapacityStanding stage_capacity(const World& world, const FleetView& view, const EventState& event,
                                int stage, bool was_ready, Instant now);

}  // namespace showcaller
