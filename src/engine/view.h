// SPDX-License-Identifier: Apache-2.0
// The world as readers see it: JSON for the API and the command line. Pure; docs/api.md has the
// shapes.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "compute/fleet_view.h"
#include "model/world.h"

namespace showcaller {

// {"name","revision","phase","since","reason","hold"?,"intake","stage"?:{...},"waits_for":[...],"notes"?:[...],"gates":{...},"steps":[...],
//  "readiness":{...},"approvals":[...],"ledger"?,...}
// {"announce","start","end"}: those there are, each an instant or instants by region.
json::object schedule_view(const ScheduleSpec& schedule);
json::object event_view(const World& world, const std::string& name, const EventState& event,
                        Instant now);
// The short form: name, phase, stage, exposure, hold, owner.
json::object event_line(const std::string& name, const EventState& event);
json::array events_view(const World& world);
// Manifests of a kind, or all: {"kind","name","owner","generation","hash","document"}.
json::array manifests_view(const World& world, std::string_view kind);
json::object manifest_view(const StoredManifest& stored);
json::array instances_view(const World& world, std::string_view fleet);
// A fleet's demand: {"fleet","basis","hours_known","peak_sessions"?,"peak_at"?,"short_instances"?,
// "short_at"?,"prewarm_from"?,"says"}.
json::object forecast_view(const World& world, const FleetView& view, Instant now);
json::array quarantines_view(const World& world);
json::array lines_view(const World& world);
// Drills that were played on this server: {"drill","fleet","actor","started","until","strikes":{…},
// "verdict","reason","report"}; verdict is empty while it goes on.
json::array drills_view(const World& world);
json::object drill_view(const std::string& name, const DrillRun& run);
json::array tokens_view(const World& world);  // without their hashes

// A record as JSON, payload and all, and as one line for people.
json::object record_view(const Record& record);
std::string record_line(const Record& record);

}  // namespace showcaller
