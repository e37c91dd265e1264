// SPDX-License-Identifier: Apache-2.0
// A small game with one LiveEvent, quick to rehearse: 900 players, sessions of 90 seconds, two
// regions, a build and an action, gates on crashes and errors.
#pragma once

#include <string>

#include "sim/run.h"

namespace showcaller::sim {

// Of the event `gala`, with faults as "crashes:5,undo_fails".
RunSpec small_game(const std::string& faults = "");

// What may be applied in the course of it: `gala` with another bound of its rollback, and a policy
// that freezes every event until then.
std::shared_ptr<const Manifest> revised_gala(int within_minutes);
std::shared_ptr<const Manifest> freeze_until(Instant end);

}  // namespace showcaller::sim
