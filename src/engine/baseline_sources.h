// SPDX-License-Identifier: Apache-2.0
// Whose last hour shows what a stage's baseline is like. Pure.
//
// Of each fleet that the event changes (all fleets, where it changes none) the builds that its
// baseline arm is given: of the layers beneath it those that are live, and the base unless one of
// them takes everybody. A layer that is being rolled out is nobody's baseline. Of flags also what
// servers say of units of the event's baseline arm.
#pragma once

#include <string>
#include <vector>

#include "flow/baseline_history.h"
#include "model/world.h"

namespace showcaller {

std::vector<BaselineSource> baseline_sources(const World& world, const std::string& event);
// As for an event that changes no fleet and has told nothing yet.
std::vector<BaselineSource> baseline_sources(const World& world);

}  // namespace showcaller
