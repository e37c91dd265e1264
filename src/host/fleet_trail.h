// SPDX-License-Identifier: Apache-2.0
// What a fleet was like in the last hour, look by look: for who watches a drain or a scale-up.
// In memory alone; a restart begins anew.
//
// Threads: none; one caller at a time. Limits: kTrailLooks a fleet.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "compute/fleet_view.h"

namespace showcaller {

inline constexpr Duration kTrailEvery = seconds(10);
inline constexpr std::size_t kTrailLooks = 360;

struct FleetLook {
  Instant at{};  // on the wall
  BuildCounts total;
  std::int64_t headroom_ppm = 0;
};
using FleetLooks = std::deque<FleetLook>;

class FleetTrail {
 public:
  bool is_due(const std::string& fleet, Instant wall) const;
  void add(const FleetView& view, Instant wall);
  // Oldest first.
  FleetLooks of(const std::string& fleet) const;

 private:
  std::map<std::string, FleetLooks> looks_;
};

}  // namespace showcaller
