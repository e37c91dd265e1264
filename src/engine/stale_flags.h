// SPDX-License-Identifier: Apache-2.0
// Flags that may be taken out: never asked for, the same answer for everybody for long, an owner
// who is gone, an event that is over. What nobody counts is said to be not known, never guessed.
//
// Pure. Threads: none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "flow/flag_usage.h"
#include "model/world.h"

namespace showcaller {

// What the journal knows of a flag's past.
struct FlagPast {
  Instant changed{};        // by its manifest, its schedule or its kill switch
  std::string event;        // that changed it last, if all that did are over
  Instant event_changed{};  // when a phase, a stage or the doors of such an event last moved
};

struct StaleRequest {
  const World& world;
  const FlagUsage& usage;
  const std::map<std::string, FlagPast>& past;
  Duration days{};  // how long is long
  Instant wall{};
};
// {"counted_since"?,"evaluations":"known"|"not known","flags":[{"flag","owner","evaluations",
// "last_evaluated"?,"why":[{"rule","says"}…]}…]}: those with at least one reason. Rules:
// "never_evaluated", "one_answer", "owner_gone", "event_over".
json::object stale_flags(const StaleRequest& request);

}  // namespace showcaller
