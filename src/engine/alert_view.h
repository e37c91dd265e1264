// SPDX-License-Identifier: Apache-2.0
// Alerts and silences as people and programs see them. Pure.
//
// {"id","subject","cause","detail"?,"state":"firing"|"acknowledged"|"resolved","severity","opened_at",
//  "resolved_at"?,"team","owner","players_at_risk","burn","text","next_steps":[…],"runbook",
//  "group":[{"subject","cause","detail"?,"over"}],"root","acknowledged_by","acknowledged_at"?,"level",
//  "escalates_at"?,"silenced_by","slo","event","latest"?,"resolved_reason"?,"absorbed_by"?,
//  "deliveries":[{"route","change","outcome","attempts","detail","at"}]}
#pragma once

#include <string>
#include <string_view>

#include "model/world.h"

namespace showcaller {

std::string_view alert_state(const Alert& alert);
json::object alert_view(const World& world, const std::string& id, const Alert& alert, Instant now);
// Of a state, or all; the newest first.
json::array alerts_view(const World& world, std::string_view state, Instant now);
// {"id","subject","event","by","reason","since","until"?}
json::array silences_view(const World& world);
// What was given up, of alerts that are remembered:
// {"alert","route","change","attempts","detail","at"}
json::array dead_letters_view(const World& world);

}  // namespace showcaller
