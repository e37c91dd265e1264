// SPDX-License-Identifier: Apache-2.0
// Whom a LiveEvent admits now, as a rule that the allocator, the flags and the ledger share
// (flag/exposure.h).
//
// A unit is in when any stage entered so far lets it in, so exposure only grows on the way forward;
// stepping back takes the last stage away, so the last let in leave first. A stage's regions are
// part of its audience: the context says "region". So are the event's bounds: its part of an
// exclusion group, and whom holdouts keep out. The holdback is kept out from the first gated
// stage on: nobody has to leave when the event goes live.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flag/exposure.h"
#include "model/world.h"

namespace showcaller {

// The context's attribute that names the unit: "targetingKey" (player), "party", "guild", "match".
std::string_view unit_attribute(Unit unit);

// No stages at all while intake is closed, the event is diverted, or its phase does not admit. The
// salt is secret and the same for the event's whole life.
ExposureRule exposure_rule(const EventState& event, std::string salt = {});
// Whom the present stage is about, whatever its exposure: the audience and regions that its arms
// are drawn from.
ExposureRule eligibility_rule(const EventState& event, std::string salt = {});
// Whom an earlier stage lets in further than the present one would (staff, a region that is ahead):
// they are on the canary whatever the draw says, so no arm may count them.
ExposureRule exempt_rule(const EventState& event, std::string salt = {});

// What a stage lets in, or let in when it was the present one: as the manifest says, or what it was
// widened to.
std::int64_t reached_ppm(const EventState& event, int stage);
// The share of the present stage's eligible units that get the canary, the holdback taken off; 0
// when none is admitted.
std::int64_t canary_share_ppm(const EventState& event);
// The share that a stage (by its index) gives the canary in a region; 0 where it has no part. A
// stage with an audience counts as nothing: who is in an audience is not known beforehand.
std::int64_t planned_share_ppm(const EventState& event, int stage, std::string_view region);
// The largest share of any stage entered so far in a region, audiences counted in full.
std::int64_t reach_ppm(const EventState& event, int stage, std::string_view region);

// The event itself is open to players there: proven in the dark or not, its doors are what this
// says.
bool doors_are_open(const EventState& event, std::string_view region);

}  // namespace showcaller
