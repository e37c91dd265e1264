// SPDX-License-Identifier: Apache-2.0
// What the API shows of services: whether they are under stress and why, what they do without, and
// the breaker of the server's calls to them. Pure.
#pragma once

#include "base/json.h"
#include "model/world.h"

namespace showcaller {

// {"service", "owner", "breaker", "stressed", "signs": [...], "withdrawn": [...],
// "degradation_order": [...]}
json::object service_view(const World& world, const std::string& name);
// Every service with a manifest, and every other one that the journal knows something of.
json::array services_view(const World& world);
// "matchmaking does without leaderboards since …: grants is down", a line each.
std::vector<std::string> degradation_notes(const World& world);

}  // namespace showcaller
