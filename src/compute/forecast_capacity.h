// SPDX-License-Identifier: Apache-2.0
// What a fleet has ready, held against the peak that its demand is forecast to reach: for
// readiness, for gates on headroom, and for whoever looks. Pure; absent answers mean that there is
// no forecast, and then nothing is guessed.
#pragma once

#include <optional>
#include <string>

#include "compute/fleet_view.h"
#include "model/world.h"

namespace showcaller {

// Before players are admitted: whether what is ready of all builds but the event's own carries the
// peak until its first stage has baked, with so much free, region by region.
struct ForecastCoverage {
  bool enough = false;
  std::string detail;
};
std::optional<ForecastCoverage> coverage_before(const World& world, const FleetView& view,
                                                const EventState& event, std::int64_t headroom_ppm,
                                                Instant now);

// While a stage bakes: each side must carry its share of the peak, the event's builds theirs and
// all others the rest. The least of any side in any region, free over need.
struct ForecastHeadroom {
  double level = 0;
  std::string basis;  // "of a peak of 1240 sessions in eu at 18:00 UTC"
};
std::optional<ForecastHeadroom> headroom_ahead(const World& world, const FleetView& view,
                                               const EventState& event, Instant now);

// The fleet as a whole over the hours that are forecast.
struct ForecastStanding {
  double peak_sessions = 0;
  Instant peak_at{};
  // What is missing at the worst hour: of what could run at most where the fleet scales ahead by
  // itself, else of what runs now. 0: nothing.
  std::int64_t short_instances = 0;
  Instant short_at{};      // that hour
  Instant prewarm_from{};  // when the first missing instance should begin to start
  std::string says;
};
// Without a forecast `says` alone is told.
ForecastStanding forecast_standing(const World& world, const FleetView& view, Instant now);

// "18:00 UTC", with its date where that is not `today`'s.
std::string hour_text(Instant hour, Instant today);

}  // namespace showcaller
