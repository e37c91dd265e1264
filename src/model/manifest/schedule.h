// SPDX-License-Identifier: Apache-2.0
// Turns the times of a LiveEvent's schedule into UTC instants, once, when the manifest is applied.
// What it leaves in the manifest says the same for ever, whatever happens to the zone data
// afterwards.
//
// Written:  2026-12-18T18:00 (in `zone`) · 2026-12-18T18:00+01:00 (absolute) · 5d before start · 3d
// after start Resolved: 2026-12-18T17:00:00Z, or { region: instant } when `zone` is local.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "model/manifest/manifest.h"
#include "model/manifest/reader.h"

namespace showcaller::manifest {

struct RegionZone {
  std::string region;
  std::string zone;
  friend bool operator==(const RegionZone&, const RegionZone&) = default;
};

// Rewrites spec.schedule. What cannot be resolved is reported and taken out, so that it is reported
// once. `regions` are sorted by name; they matter when the zone is local. A distance in days or
// weeks from a start that was written locally keeps its time of day when clocks change.
void resolve_schedule(Reader& reader, Node* spec, std::span<const RegionZone> regions,
                      MissingReference missing, std::string_view tzdata_version);

}  // namespace showcaller::manifest
