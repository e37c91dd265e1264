// SPDX-License-Identifier: Apache-2.0
// What ExclusionGroup and Holdout manifests say, typed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/spec/live_event.h"

namespace showcaller {

// Events and flags of one group never touch one player: each has buckets of its own.
struct ExclusionGroupSpec {
  Unit unit = Unit::Player;      // that all its members go by
  std::int64_t holdout_ppm = 0;  // no member has these buckets
};

// Players that no event touches, for as long as this stands.
struct HoldoutSpec {
  std::int64_t share_ppm = 0;
  std::vector<std::string> owners;  // whose events; empty: all
};

}  // namespace showcaller
