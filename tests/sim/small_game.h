// SPDX-License-Identifier: Apache-2.0
// A small game with one LiveEvent, quick to rehearse: 900 players, sessions of 90 seconds, two
// regions, a build and an action, gates on crashes and errors.
#pragma once

#include <string>

#include "sim/run.h"

namespace showcaller::sim {

// Of the event `gala`, with faults as "crashes:5,undo_fails".
RunSpec small_game(const std::string& faults = "");

}  // namespace showcaller::sim
