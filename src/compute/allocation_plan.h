// SPDX-License-Identifier: Apache-2.0
// What the allocator needs of the world, taken out of it: builds, layers with their exposure, what
// is withheld. Immutable once made. The allocator goes on with the last one when no newer comes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flag/exposure.h"
#include "model/world.h"

namespace showcaller {

struct PlannedBuild {
  std::vector<int> protocols;  // sorted; empty: any
  int sessions_per_instance = 1;
  bool quarantined = false;
  bool speaks(int protocol) const;  // 0 is spoken by all
};

// One event's build on a fleet, and whom it is for.
struct CanaryLayer {
  std::string event;
  std::int64_t revision = 0, visit = 0;
  std::string build;
  Unit unit = Unit::Player;
  std::shared_ptr<const Exposure> admits;    // null: nobody is admitted now
  std::shared_ptr<const Exposure> eligible;  // whom the present stage is about; null: nobody
  std::shared_ptr<const Exposure> exempt;    // on the canary whatever the draw; null: nobody
  std::string rule_state;                    // equal texts: equal exposures
  std::int64_t pace_per_minute = 0;          // 0: no limit
  std::int64_t sessions_canary = 0, sessions_baseline = 0;  // of the visit, as the journal knows
};

struct FleetAllocationPlan {
  std::string base;
  std::map<std::string, PlannedBuild> builds;
  std::vector<CanaryLayer> layers;  // the highest first
  std::vector<std::string> regions;
  std::vector<std::string> withheld;  // sorted ids of instances that get no new session
  std::vector<std::string> quarantined_hosts, quarantined_regions;  // sorted
  std::vector<std::string> quarantined_pairs;                       // sorted "build@host"
  Duration unclaimed_after = seconds(30);
  bool reuse = true;  // false: an instance that had a session gets no other
};

struct AllocationPlan {
  std::uint64_t seq = 0, epoch = 0;  // of the world it was made from
  std::map<std::string, FleetAllocationPlan> fleets;
};

using SaltOf = std::function<std::string(const std::string& event)>;

// `before`, if given, lends what was compiled for events that have not changed.
AllocationPlan make_allocation_plan(const World& world, const SaltOf& salt_of,
                                    const AllocationPlan* before = nullptr);
// Whether a record can change the plan. A batch without such a record needs no new one.
bool concerns_allocation(const Payload& payload);

}  // namespace showcaller
