// SPDX-License-Identifier: Apache-2.0
// Whether a budget burns so fast that somebody is told, and how urgently. Pure.
//
// By proof: a page as soon as the evidence of a burn above `page_above` is as strong as it has to
// be. The house accepts one page without cause in so many looks, however many objectives it has;
// that budget is shared out by what is at stake, players at risk times their weight, so that what
// harms many pages sooner and what harms few later.
//
// By rules: one speaks when its evidence proves more than its factor, and it still burns.
//
// Weights: of an event its risk (low 1/2, normal 1, high 2) and phase (settling 1/2); of a service
// that of the heaviest event that touches it, and at least 1. They divide a rule's factor, never
// below 1, and the least number of harmed players.
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

// The share that a page is proven against; 0: the objective does not ask for it.
double page_bound(const SloSpec& slo);
// What the house puts at risk with an objective, of everybody or of one event's players.
double stake_of(const World& world, const std::string& service, const std::string& event,
                std::int64_t players);
// Evidence (a natural logarithm) that a page needs for what has this share of all that is at stake.
double evidence_needed(double share);

struct Burning {
  std::optional<std::size_t> rule;  // absent: by proof
  AlertSeverity severity = AlertSeverity::Page;
};
std::optional<Burning> burn_severity(const World& world, const SloSpec& slo,
                                     const BurnReading& reading);

// Whether what was opened with that urgency is over: none of the rules that speak so urgently burns
// at half their factor any more, by evidence of now, and calm is proven.
bool has_eased(const World& world, const SloSpec& slo, const BurnReading& reading,
               AlertSeverity severity);

double weight_of_event(const EventState& event);
double weight_of_service(const World& world, const std::string& service);

}  // namespace showcaller
