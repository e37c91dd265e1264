// SPDX-License-Identifier: Apache-2.0
// Who gets which part of an exclusion group, and who is held out: decided when a manifest is
// applied, kept while its event or flag lives, and free again when it ends.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flag/exposure_bounds.h"
#include "model/world.h"

namespace showcaller {

// By manifest ("LiveEvent/gala", "Flag/door"): bounds that are about to be in force, beside those
// of the world.
using PendingBounds = std::map<std::string, ExposureBounds>;

// What this manifest gets, keeping what it has. Conflict: its share does not fit, and what does.
Result<ExposureBounds> bounds_of(const World& world, const Manifest& manifest,
                                 const PendingBounds& pending);
// What holds the owner's events out of players, now.
std::map<std::string, std::int64_t> holdouts_for(const World& world, std::string_view owner);

// Members of groups that are not there, or that go by another unit, and groups whose holdout has
// come to lie over what a member has.
std::vector<std::string> exclusion_problems(const World& world);

// The first that the world as it would be has and the world does not; empty: none.
std::string new_exclusion_problem(const World& world, const World& next);

// For people: "touches 30 % of exclusion group 'raids'", "holdout 'q4' keeps 5 % out".
std::vector<std::string> bounds_notes(const ExposureBounds& bounds);

}  // namespace showcaller
