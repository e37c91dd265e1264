// SPDX-License-Identifier: Apache-2.0
// One hash of what a gate is by itself: proofs are bound to it, so that a change of another part of
// the manifest, or another way to write the same gate, keeps them. Pure.
#pragma once

#include <string>

#include "model/spec/live_event.h"

namespace showcaller {

// Hex SHA-256. On disk: what it says of a gate never changes, and a field that is added to GateSpec
// is part of it only where it is not at its default.
std::string gate_hash(const GateSpec& gate);

}  // namespace showcaller
