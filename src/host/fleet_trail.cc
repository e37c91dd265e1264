// SPDX-License-Identifier: Apache-2.0
#include "host/fleet_trail.h"

namespace showcaller {

bool FleetTrail::is_due(const std::string& fleet, Instant wall) const {
  const auto known = looks_.find(fleet);
  if (known == looks_.end() || known->second.empty()) return true;
  const Instant last = known->second.back().at;
  return wall - last >= kTrailEvery || wall < last;
}

void FleetTrail::add(const FleetView& view, Instant wall) {
  FleetLooks& looks = looks_[view.fleet];
  // A clock that went back has looks before it that were not.
  while (!looks.empty() && looks.back().at > wall) looks.pop_back();
  looks.push_back({wall, view.total(), view.headroom_ppm()});
  if (looks.size() > kTrailLooks) looks.pop_front();
}

FleetLooks FleetTrail::of(const std::string& fleet) const {
  const auto known = looks_.find(fleet);
  return known == looks_.end() ? FleetLooks() : known->second;
}

}  // namespace showcaller
