// SPDX-License-Identifier: Apache-2.0
// What a fleet looks like now: counts of each build in each region, what is free, and what that is
// worth. For readiness, headroom gates, the API and status. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compute/demand_outlook.h"
#include "compute/port/fleet_driver.h"
#include "model/world.h"

namespace showcaller {

struct BuildCounts {
  std::string build, region;
  int desired = 0;    // what the planner aims at
  int starting = 0;   // wanted or starting
  int ready = 0;      // free to be given a session
  int allocated = 0;  // at least one session runs
  int draining = 0;   // no new sessions
  int unhealthy = 0;
  int quarantined = 0;                 // of all of the above, those that a quarantine isolates
  std::int64_t sessions = 0;           // running, on any of them
  std::int64_t free_sessions = 0;      // that could start now
  std::int64_t draining_sessions = 0;  // of `sessions`, where no other will follow
};

struct FleetView {
  std::string fleet;
  std::vector<BuildCounts> rows;  // by build, then region; only those that are wanted or exist
  std::shared_ptr<const DemandOutlook> outlook;  // null: none was made

  const BuildCounts* find(std::string_view build, std::string_view region) const;
  // Over all regions. An empty build: over all builds too.
  BuildCounts total(std::string_view build = {}) const;
  // Free capacity over what is in use (over one session when nothing is). An empty build: the whole
  // fleet.
  std::int64_t headroom_ppm(std::string_view build = {}) const;
};

FleetView fleet_view(const World& world, const std::string& fleet,
                     std::span<const ObservedInstance> observed);
FleetView fleet_view(const World& world, const std::string& fleet,
                     std::span<const ObservedInstance> observed, Instant now,
                     std::shared_ptr<const DemandOutlook> outlook = {});

// No session is left on the event's builds, and none of their instances could still be given one.
bool build_is_drained(const World& world, const std::string& event,
                      std::span<const ObservedInstance> observed);

// Sessions that run on an instance, as far as it can be told.
std::int64_t sessions_on(const ObservedInstance& instance);

}  // namespace showcaller
