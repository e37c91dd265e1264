// SPDX-License-Identifier: Apache-2.0
// What a fleet should become: wishes and transitions, as the payloads of records. And what its
// driver is asked to do about the difference between the durable world and what it shows.
//
// Pure: same world, same observation, same time, same answer. Nothing changes, nothing comes out. A
// driver may lie, delay and forget: what is not seen for a while is given up, what is seen alive is
// adopted. docs/fleets.md tells the rules.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compute/fleet_view.h"
#include "compute/port/fleet_driver.h"
#include "model/world.h"

namespace showcaller {

constexpr std::size_t kStartsPerPassMax = 512;  // of a fleet; the rest follow in the next passes
constexpr Duration kDrainSettles =
    seconds(2);  // no allocation is under way after so long without intake
constexpr Duration kStartSettles = seconds(30);  // or start_timeout, if that is longer
constexpr Duration kScaleDownAfter =
    minutes(5);  // since the build last grew in the region: the bulk may go
constexpr Duration kTrimAfter = minutes(30);  // and the last few

// `outlook`: what its demand is forecast to become; null: nothing is.
std::vector<Payload> plan_fleet(const World& world, const std::string& fleet,
                                std::span<const ObservedInstance> observed, Instant now,
                                const DemandOutlook* outlook = nullptr);

std::vector<FleetAction> wanted_actions(const World& world, const std::string& fleet,
                                        std::span<const ObservedInstance> observed, Instant now);

}  // namespace showcaller
