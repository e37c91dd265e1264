// SPDX-License-Identifier: Apache-2.0
// What the world knows of its flags, as lists and as sentences for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/world.h"

namespace showcaller {

// Flags of manifests and "config.NAME" of each document that an event which is not over gives,
// sorted.
std::vector<std::string> flags_known(const World& world);
// The keys that a change-set changes: flags, and documents as "config.NAME".
std::vector<std::string> flags_of(const LiveEventSpec& spec);
// LiveEvents that are not over and change the flag, sorted.
std::vector<std::string> events_that_change(const World& world, std::string_view flag);
// Of flags that an event changes and somebody has killed: its layer gives them to nobody.
std::vector<std::string> kill_notes(const World& world, const EventState& event);

// {"flag","owner","visibility","state","events":[...],"killed"?:{"since","actor","reason"}}, one a
// flag; state is "enabled", "disabled" or "killed".
json::array flags_view(const World& world);

}  // namespace showcaller
