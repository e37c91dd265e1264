// SPDX-License-Identifier: Apache-2.0
// Local times and IANA time zones. The system's zone files are read by the date library, and
// nothing else is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace showcaller::manifest {

// A time on a wall somewhere: milliseconds since 1970-01-01T00:00 of that wall.
struct LocalTime {
  std::int64_t ms = 0;
};

// "2026-12-18T18:00" or with seconds; no zone.
std::optional<LocalTime> parse_local_time(std::string_view text);

bool zone_exists(std::string_view name);
// Sorted; empty when the system has no zone files.
const std::vector<std::string>& zone_names();

// What to do with a local time that a change of clocks leaves out, or gives twice.
enum class OnGap { Refuse, Shift, Skip };
enum class OnOverlap { Refuse, Earlier, Later };
struct ClockChangeChoice {
  OnGap on_gap = OnGap::Refuse;
  OnOverlap on_overlap = OnOverlap::Refuse;
};

// Nullopt: the time does not exist and is to be skipped. Shift moves it forward by the length of
// the gap, as RFC 5545 reads such times.
Result<std::optional<Instant>> resolve_local(LocalTime time, std::string_view zone,
                                             ClockChangeChoice choice);

}  // namespace showcaller::manifest
