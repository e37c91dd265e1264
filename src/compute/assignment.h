// SPDX-License-Identifier: Apache-2.0
// Which build a session is for, by the layers of the plan: the highest layer that admits every
// player of it, or the base. The party stays whole, so its weakest member decides. Pure: the plan
// and the request say it all.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compute/allocation.h"
#include "compute/allocation_plan.h"

namespace showcaller {

struct BuildAssignment {
  std::string build;
  const CanaryLayer* layer = nullptr;  // null: the base
  std::vector<ArmAssignment> arms;
};

// The party's id as it is bucketed: the party's, or a lone player's own.
std::string party_of(const AllocationRequest& request);

// `skip`: layers, from the highest on, whose canary cannot take the session now; they are marked
// spilled. Unsupported: no build that the session may have speaks its protocol.
Result<BuildAssignment> assign_build(const FleetAllocationPlan& plan,
                                     const AllocationRequest& request, const std::string& region,
                                     const std::vector<const CanaryLayer*>& skip, Instant now);

// Region by region, the nearest first: the preferred one, then by latency, then as the fleet has
// them.
Result<std::vector<std::string>> candidate_regions(const FleetAllocationPlan& plan,
                                                   const AllocationRequest& request);

}  // namespace showcaller
