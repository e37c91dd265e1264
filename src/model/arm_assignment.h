// SPDX-License-Identifier: Apache-2.0
// Which arm of an event a session is on, and how that travels with the session: as text on its game
// server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/tick.h"

namespace showcaller {

struct ArmAssignment {
  std::string event;
  std::int64_t revision = 0, visit = 0;
  Arm arm = Arm::Baseline;
  bool counted = false;  // the present stage drew it: part of the arms that a gate compares
  bool spilled =
      false;  // a canary by draw that no canary could take: on the baseline, never counted
  friend bool operator==(const ArmAssignment&, const ArmAssignment&) = default;
};

// "winter-raid:3:5:canary:counted,…" and back; what does not parse is left out.
std::string arms_to_text(const std::vector<ArmAssignment>& arms);
std::vector<ArmAssignment> arms_from_text(std::string_view text);

}  // namespace showcaller
