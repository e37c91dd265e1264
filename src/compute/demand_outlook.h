// SPDX-License-Identifier: Apache-2.0
// What a fleet's demand may become: the capacity to have ready in the coming hours, forecast from
// its own past, and who asks for it. Pure: a forecast is a value that is handed in
// (host/demand_history.h makes it), so a decision that it changes is decided the same again.
//
// Hours are those of the clock on the wall; `now` everywhere is engine time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/world.h"

namespace showcaller {

// With less than two days nothing is forecast; the weekly profile takes two weeks.
constexpr int kHoursForDays = 48, kHoursForWeeks = 336;
constexpr int kForecastHours = 48;  // so far ahead
constexpr int kPastHours = 72;      // that are told beside it

enum class ForecastBasis { None, Days, Weeks };

struct DemandOutlook {
  ForecastBasis basis = ForecastBasis::None;
  int hours_known = 0;
  Instant from{};  // the hour of the first value
  // By region: the most sessions at once in each of the hours before `from`, the last of them the
  // last; NaN: nobody looked.
  std::map<std::string, std::vector<double>> past;
  // By region, hour by hour: sessions at once to have room for. Empty without a basis.
  std::map<std::string, std::vector<double>> sessions;
};
// "the weekly profile of 21 days", or why there is no forecast.
std::string describe(const DemandOutlook& outlook);

struct DemandPeak {
  double sessions = 0;
  Instant at{};  // the hour on the wall
};
// In a region, from now until `ahead` has passed; players that planned events expect included.
DemandPeak peak_ahead(const World& world, std::string_view fleet, const DemandOutlook& outlook,
                      const std::string& region, Instant now, Duration ahead);

// How long the fleet takes from a wish to a ready instance, as far as it says.
Duration scale_up_time(const FleetSpec& spec);

struct ForecastNeed {
  Duration ahead{};               // how far the peak is looked for
  std::int64_t headroom_ppm = 0;  // free capacity over it
};
// What an event asks of the fleet's forecast: for its readiness until it is live, for its gates all
// the while. So far as scaling up and the bake of its stage take. Absent: nothing.
std::optional<ForecastNeed> need_of(const EventState& event, std::string_view fleet,
                                    const FleetSpec& spec);
// The furthest and the most of what the fleet's own manifest and the events under way ask for.
std::optional<ForecastNeed> need_of_all(const World& world, std::string_view fleet,
                                        const FleetSpec& spec);

// By region: sessions to have room for, headroom included. Empty: nobody asks, or there is no
// forecast.
std::map<std::string, std::int64_t> room_ahead(const World& world, std::string_view fleet,
                                               const FleetSpec& spec, const DemandOutlook* outlook,
                                               Instant now);

}  // namespace showcaller
