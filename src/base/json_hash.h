// SPDX-License-Identifier: Apache-2.0
// A hash of a JSON value without writing its text.
#pragma once

#include <cstdint>

#include "base/json.h"

namespace showcaller {

// Equal values give equal numbers, in whatever order their keys stand; 1 and 1.0 differ, as their
// texts do. The same on every machine. Not against somebody who seeks a collision.
std::uint64_t json_hash(const json::value& value);

}  // namespace showcaller
