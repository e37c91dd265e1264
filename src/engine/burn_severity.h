// SPDX-License-Identifier: Apache-2.0
// Whether a budget burns so fast that somebody is told, and how urgently. Pure.
//
// A rule speaks when its evidence proves more than its factor, and it still burns. What is at stake
// weighs: an event's risk (low 1/2, normal 1, high 2) and phase (settling 1/2) divide the factor
// and the least number of harmed players. A service has the weight of the heaviest event that
// touches it, and at least 1. No weight takes a factor below 1: within the budget nobody is called.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "analysis/error_budget.h"
#include "engine/input.h"
#include "model/world.h"

namespace showcaller {

// What rolling counts say of each of the objective's rules; whose they are is left open.
BurnReading burn_reading(const SloSpec& slo, const RollingCounts& counts, Instant now);

struct Burning {
  std::size_t rule = 0;
  AlertSeverity severity = AlertSeverity::Page;
};
std::optional<Burning> burn_severity(const World& world, const SloSpec& slo,
                                     const BurnReading& reading);

// Whether what was opened with that urgency is over: none of the rules that speak so urgently burns
// at half their factor any more, by evidence of now.
bool has_eased(const World& world, const SloSpec& slo, const BurnReading& reading,
               AlertSeverity severity);

double weight_of_event(const EventState& event);
double weight_of_service(const World& world, const std::string& service);

}  // namespace showcaller
