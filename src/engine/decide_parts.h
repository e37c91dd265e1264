// SPDX-License-Identifier: Apache-2.0
// decide()'s parts, one a sort of input.
#pragma once

#include "engine/decide.h"

namespace showcaller {

Result<Decision> decide_command(const World& world, const Command& command, Instant now);
Result<Decision> decide_look(const World& world, const GateLooked& look, Instant now);

}  // namespace showcaller
