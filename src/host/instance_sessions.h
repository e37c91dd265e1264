// SPDX-License-Identifier: Apache-2.0
// From what a driver shows to what telemetry counts: the sessions on each instance, and whether it
// died under them. Pure.
#pragma once

#include <span>
#include <vector>

#include "compute/port/fleet_driver.h"
#include "flow/telemetry_intake.h"

namespace showcaller {

std::vector<InstanceSessions> instance_sessions(std::span<const ObservedInstance> instances);

}  // namespace showcaller
