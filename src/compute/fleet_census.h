// SPDX-License-Identifier: Apache-2.0
// Who is there: a fleet's instances as the world knows them, beside what its driver shows of each,
// and what is quarantined. The common ground of the planner, the actions and the view.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "compute/port/fleet_driver.h"
#include "model/world.h"

namespace showcaller {

// What is isolated in a fleet now; expired quarantines are no longer in it.
struct FleetQuarantines {
  std::set<std::string, std::less<>> instances, builds, hosts,
      regions;  // builds: also "build@host"

  bool empty() const {
    return instances.empty() && builds.empty() && hosts.empty() && regions.empty();
  }
  // The instance gets no new session.
  bool isolates(const std::string& id, const std::string& build, const std::string& region,
                const std::string& host) const;
  // The instance must go when it is idle: it, its host or its region is quarantined. A quarantined
  // build may stay idle.
  bool empties(const std::string& id, const std::string& region, const std::string& host) const;
  bool forbids_start(const std::string& build, const std::string& region,
                     const std::string& host) const;
  bool has_build(const std::string& build, const std::string& host) const;
};

struct QuarantineEntry {
  QuarantineScope scope = QuarantineScope::Instance;
  std::string subject;
  Quarantine quarantine;
};
// All of the fleet, expired or not, in the order of their keys.
std::vector<QuarantineEntry> quarantines_of(const World& world, std::string_view fleet);
FleetQuarantines quarantines_in_force(const World& world, std::string_view fleet, Instant now);
inline bool is_expired(const Quarantine& q, Instant now) {
  return to_ms(q.until) != 0 && q.until <= now;
}

struct CensusEntry {
  const Instance* instance = nullptr;
  const ObservedInstance* seen = nullptr;       // null: the driver does not show it
  InstancePhase phase = InstancePhase::Wanted;  // the world's; the planner moves its copy on
  Instant since{};
  std::int64_t sessions = 0;
  bool isolated = false, must_empty = false;

  bool alive() const { return seen && seen->state != InstanceState::Exited; }
  bool idle() const { return sessions == 0 && !(seen && seen->state == InstanceState::Reserved); }
  // Counts as capacity, now or soon. One that its driver forgot a moment ago still does: it may
  // well be back.
  bool serves() const {
    const bool forgotten = phase == InstancePhase::Unhealthy && !seen;
    return (phase == InstancePhase::Wanted || phase == InstancePhase::Ready || forgotten) &&
           !isolated;
  }
};

struct FleetCensus {
  std::vector<CensusEntry> entries;                // by id
  std::vector<const ObservedInstance*> strangers;  // alive or ended, and not in the world; by id
  FleetQuarantines quarantines;
};

FleetCensus take_census(const World& world, const std::string& fleet,
                        std::span<const ObservedInstance> observed, Instant now);

}  // namespace showcaller
