// SPDX-License-Identifier: Apache-2.0
// What each stage of a rollout can detect, and how many it puts at risk at worst. Pure.
#pragma once

#include "engine/plan.h"

namespace showcaller {

// [{"name","exposure_percent","of_audience"?,"regions"?,"bake","bake_max"?,"gates":[…],"risk_lasts",…}]
json::array planned_stages(const World& world, const LiveEventSpec& spec, const PlanFacts& facts);

}  // namespace showcaller
