// SPDX-License-Identifier: Apache-2.0
// Flags held against the world: do those that they need exist, and is there no circle? And which
// scheduled changes have come.
#pragma once

#include <string>
#include <vector>

#include "model/world.h"

namespace showcaller {

std::vector<std::string> flag_problems(const World& world);
// The first problem that the world as it would be has and the world does not; empty: none.
std::string new_flag_problem(const World& world, const World& next);

// Flags whose schedules have come to a change that is not in force yet, as records. A stopped line
// or a freeze of the owner's keeps back what does not switch the flag off, and so does, for a
// while, a clock that stepped.
std::vector<Payload> flag_changes_due(const World& world, Instant now);

}  // namespace showcaller
