// SPDX-License-Identifier: Apache-2.0
// What each stage of a rollout can detect, and how many it puts at risk at worst. Pure.
#pragma once

#include "engine/plan.h"

namespace showcaller {

// [{"name","exposure_percent","of_audience"?,"regions"?,"bake","bake_max"?,"gates":[…],"risk_lasts",…}]
json::array planned_stages(const World& world, const LiveEventSpec& spec, const PlanFacts& facts);

// What a stage puts at risk at worst: all that it lets in until its planned end, and as long as a
// match lasts. {"risk_lasts","sessions_at_risk_max"?,"players_at_risk_max"?,"says"}.
json::object stage_at_risk(const World& world, const LiveEventSpec& spec, const StageSpec& stage,
                           const PlanFacts& facts);

// How often a good release would be rolled back in each stage whose traffic is known, by
// simulation:
// "false_rollback":{"percent","low","high","runs","without"?:[gates],"strictness_for_2_percent"?}.
// Bounded: half a second for an event.
void add_false_rollbacks(const World& world, const LiveEventSpec& spec, const PlanFacts& facts,
                         json::array* stages);

}  // namespace showcaller
