// SPDX-License-Identifier: Apache-2.0
// What applying manifests would do, before it is done: differences, defaults, whom it disturbs,
// which approvals it needs, what each stage can detect, how long a rollback takes at worst. Pure;
// docs/api.md has the JSON.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "compute/fleet_view.h"
#include "engine/gate_plan.h"
#include "model/command.h"
#include "model/world.h"

namespace showcaller {

// What is known of the live game; what is not known is assumed, and the plan says so.
struct PlanFacts {
  std::map<std::string, BaselineOf> baselines;                           // by metric
  std::map<std::string, double> sessions_per_s;                          // by fleet
  std::map<std::string, std::shared_ptr<const DemandOutlook>> outlooks;  // by fleet
  std::map<std::string, std::vector<ObservedInstance>> instances;        // by fleet, as last seen
};

struct PlanRequest {
  std::span<const std::shared_ptr<const Manifest>> manifests;
  Actor actor;  // who would apply them
  PlanFacts facts;
};

// {"manifests":[{"kind","name","action","hash","server_hash"?,"changes":[…],"defaults":[…],
// "event"?:{…}}],"problems":[…],"notes"?:[…]}. The engine's own decision is taken on a copy of the
// world: what apply would refuse is a problem here.
json::object plan_of(const World& world, const PlanRequest& request, Instant now);

}  // namespace showcaller
