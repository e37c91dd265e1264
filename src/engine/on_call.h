// SPDX-License-Identifier: Apache-2.0
// Who is called: by a team's rota, and then up its path of escalation. Pure: the time comes in.
#pragma once

#include <optional>
#include <string>

#include "model/world.h"

namespace showcaller {

// By the rota at a time of the wall clock. Empty: the team has none, or it has not begun.
std::string on_call(const RotaSpec& rota, Instant wall);

struct Called {
  std::string team, person;  // person empty: whoever reads the team's routes
};
// The subject's own team.
Called first_called(const World& world, const std::string& team, Instant now);
// Step `level` (from 1) of the team's path. Absent: the path has ended.
std::optional<Called> next_called(const World& world, const std::string& team, std::int64_t level,
                                  Instant now);

// When an alert goes a step further, if nobody acknowledges it. Absent: never.
std::optional<Instant> escalates_at(const World& world, const Alert& alert);

}  // namespace showcaller
