// SPDX-License-Identifier: Apache-2.0
// A fleet for who draws it: each of its instances in a few bytes, and its demand hour by hour.
// Pure; docs/api.md has the shapes.
#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "compute/fleet_view.h"
#include "model/world.h"

namespace showcaller {

// {"fleet","builds":[…],"regions":[…],"hosts":[…],"states":[…],"quarantines":[{"scope","subject","reason","since","until"?}],
//  "instances":{"id":[…],"build":[index],"region":[…],"host":[…],"state":[…],"sessions":[…],"players":[…],
//               "quarantine":[index or -1]}}
// All columns are as long as "id", in its order. 10,000 instances are some 400 KB.
json::object fleet_map_view(const World& world, const std::string& fleet,
                            std::span<const ObservedInstance> observed, Instant now);

// {"fleet","basis","from","past":{REGION:[sessions|null]},"ahead":{REGION:[sessions]},
//  "instances_max":{REGION: whole},"sessions_per_instance","says"}: hours before "from", and from
//  it on.
json::object fleet_demand_view(const World& world, const FleetView& view, Instant now);

}  // namespace showcaller
