// SPDX-License-Identifier: Apache-2.0
// Which builds a fleet should run where, and how many of each: the base build ⊕ the layers of
// active LiveEvents, by what is in use, the buffer, the schedule and the shares of the stages.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/world.h"

namespace showcaller {

// An active event's build on a fleet.
struct BuildLayer {
  std::string_view name;
  const EventState* event = nullptr;
  const BuildChange* change = nullptr;
  Duration clock_offset{};  // of the world: its event's end is a date
};
// The highest first: by priority, then `after`, then name. Layers whose build the fleet does not
// have are left out.
std::vector<BuildLayer> build_layers(const World& world, std::string_view fleet,
                                     const FleetSpec& spec);

// Builds of events that are being undone whose manifest ends running matches after the drain.
struct CutBuild {
  std::string build;
  Instant from{};
};
std::vector<CutBuild> cut_builds(const World& world, std::string_view fleet);

using BuildRegion = std::pair<std::string, std::string>;

struct BuildUse {
  std::int64_t instances =
      0;  // that have sessions, not draining; several sessions an instance are packed
  std::int64_t draining = 0;  // that have sessions and drain
};

struct BuildDemand {
  int desired = 0;
  bool expects_sessions = false;  // some new session may be given it
};

// Wanted builds only: what is not in it has to go. `room_ahead`: sessions to have room for, by
// region, whatever runs now (compute/demand_outlook.h).
std::map<BuildRegion, BuildDemand> fleet_demand(
    const FleetSpec& spec, const std::vector<BuildLayer>& layers,
    const std::map<BuildRegion, BuildUse>& use, const std::vector<std::string>& quarantined_builds,
    Instant now, const std::map<std::string, std::int64_t>& room_ahead = {});

}  // namespace showcaller
