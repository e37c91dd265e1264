// SPDX-License-Identifier: Apache-2.0
// In whose trace a probe's journeys are made.
#pragma once

#include <string>

#include "model/world.h"

namespace showcaller {

// Below what goes on in the first event that is moving and asks for the probe; empty: none does.
std::string traceparent_for_probe(const World& world, const std::string& probe);

}  // namespace showcaller
