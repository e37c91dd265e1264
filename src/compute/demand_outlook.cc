// SPDX-License-Identifier: Apache-2.0
#include "compute/demand_outlook.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::string_view kHeadroomMetric = "capacity.headroom";
// So long an event's own players are beside those of the past; then the past has them.
constexpr Duration kExpectedFor = hours(24);

const std::string& fleet_of_players(const LiveEventSpec& spec) {
  static const std::string kNone;
  if (!spec.readiness.capacity_fleet.empty()) return spec.readiness.capacity_fleet;
  for (const Change& change : spec.changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what)) return build->fleet;
  }
  return kNone;
}

bool is_planned(const EventState& event) {
  using enum Phase;
  return event.manifest &&
         (in(event.phase) & in(Validated, Approved, Preparing, Ready, RollingOut, Live));
}

// Whether its players are expected at an hour on the wall. Without a date they may come at any time
// until it is live.
bool is_expected_at(const World& world, const EventState& event, Instant hour, Duration length) {
  const ScheduleSpec& schedule = event.spec().schedule;
  if (schedule.end && hour >= schedule.end->at) return false;
  if (schedule.start)
    return hour + length > schedule.start->at && hour < schedule.start->at + kExpectedFor;
  return event.phase != Phase::Live || hour < world.wall(event.phase_since) + kExpectedFor;
}

// Sessions of planned events at an hour, in the whole fleet.
double expected_sessions(const World& world, std::string_view fleet, Instant hour) {
  const FleetSpec* spec = world.fleet(fleet);
  double out = 0;
  world.events.each([&](const std::string&, const EventState& event) {
    if (!is_planned(event) || event.spec().intake.expected_players == 0) return;
    if (fleet_of_players(event.spec()) != fleet) return;
    if (!is_expected_at(world, event, hour, hours(1))) return;
    const int each = spec ? std::max(1, spec->capacity.players_per_session) : 1;
    out += double(event.spec().intake.expected_players) / each;
  });
  return out;
}

// A region's part of the whole at an hour: where nobody plays anywhere, equal parts.
double share_of_region(const DemandOutlook& outlook, const std::string& region, std::size_t hour) {
  double all = 0, own = 0;
  for (const auto& [name, sessions] : outlook.sessions) {
    all += sessions[hour];
    if (name == region) own = sessions[hour];
  }
  return all > 0 ? own / all : 1.0 / double(std::max<std::size_t>(1, outlook.sessions.size()));
}

Duration bake_of(const EventState& event) {
  const auto& stages = event.spec().stages;
  const std::size_t at = std::size_t(std::max(0, event.stage));
  if (at >= stages.size()) return {};
  return stages[at].bake_max.value_or(stages[at].bake_min);
}

bool changes_build_of(const LiveEventSpec& spec, std::string_view fleet) {
  return std::ranges::any_of(spec.changes, [&](const Change& change) {
    const auto* build = std::get_if<BuildChange>(&change.what);
    return build && build->fleet == fleet;
  });
}

}  // namespace

std::string describe(const DemandOutlook& outlook) {
  switch (outlook.basis) {
    case ForecastBasis::None:
      return fmt::format("no forecast: {} hours of demand are known, and it takes {}",
                         outlook.hours_known, kHoursForDays);
    case ForecastBasis::Days:
      return fmt::format("forecast from {} hours, as the days before", outlook.hours_known);
    case ForecastBasis::Weeks:
      break;
  }
  return fmt::format("forecast from {} hours, by the weekly profile", outlook.hours_known);
}

DemandPeak peak_ahead(const World& world, std::string_view fleet, const DemandOutlook& outlook,
                      const std::string& region, Instant now, Duration ahead) {
  DemandPeak peak;
  const auto own = outlook.sessions.find(region);
  if (own == outlook.sessions.end()) return peak;
  const Instant first = world.wall(now), last = first + ahead;
  for (std::size_t h = 0; h < own->second.size(); ++h) {
    const Instant hour = outlook.from + hours(std::int64_t(h));
    if (hour + hours(1) <= first || hour > last) continue;
    const double sessions = own->second[h] + expected_sessions(world, fleet, hour) *
                                                 share_of_region(outlook, region, h);
    if (sessions > peak.sessions) peak = {sessions, hour};
  }
  return peak;
}

Duration scale_up_time(const FleetSpec& spec) {
  return spec.capacity.forecast ? spec.capacity.forecast->scale_up : 2 * spec.health.start_timeout;
}

std::optional<ForecastNeed> need_of(const EventState& event, std::string_view fleet,
                                    const FleetSpec& spec) {
  const LiveEventSpec& wanted = event.spec();
  const ReadinessSpec& readiness = wanted.readiness;
  const bool own_build = changes_build_of(wanted, fleet);
  std::optional<std::int64_t> headroom;
  const bool here =
      readiness.capacity_fleet.empty() ? own_build : readiness.capacity_fleet == fleet;
  const bool is_live = event.phase == Phase::Live;
  if (here && readiness.capacity_from_forecast && !is_live)
    headroom = readiness.capacity_headroom_ppm;
  for (const GateSpec& gate : wanted.gates) {
    if (gate.metric != kHeadroomMetric || !gate.at_least || !own_build) continue;
    headroom =
        std::max(headroom.value_or(0), std::int64_t(std::ceil(*gate.at_least * double(kPpmWhole))));
  }
  if (!headroom) return std::nullopt;
  return ForecastNeed{scale_up_time(spec) + (is_live ? Duration{} : bake_of(event)), *headroom};
}

std::optional<ForecastNeed> need_of_all(const World& world, std::string_view fleet,
                                        const FleetSpec& spec) {
  std::optional<ForecastNeed> out;
  const auto take = [&](const ForecastNeed& need) {
    if (!out) out.emplace();
    out->ahead = std::max(out->ahead, need.ahead);
    out->headroom_ppm = std::max(out->headroom_ppm, need.headroom_ppm);
  };
  if (const auto& own = spec.capacity.forecast) take({own->scale_up, own->headroom_ppm});
  world.events.each([&](const std::string&, const EventState& event) {
    using enum Phase;
    if (!event.manifest || !(in(event.phase) & in(Preparing, Ready, RollingOut, Live))) return;
    if (const auto need = need_of(event, fleet, spec)) take(*need);
  });
  return out;
}

std::map<std::string, std::int64_t> room_ahead(const World& world, std::string_view fleet,
                                               const FleetSpec& spec, const DemandOutlook* outlook,
                                               Instant now) {
  std::map<std::string, std::int64_t> out;
  if (!outlook || outlook->basis == ForecastBasis::None) return out;
  const auto need = need_of_all(world, fleet, spec);
  if (!need) return out;
  const double over = 1 + double(need->headroom_ppm) / double(kPpmWhole);
  for (const RegionSpec& region : spec.regions) {
    const DemandPeak peak = peak_ahead(world, fleet, *outlook, region.name, now, need->ahead);
    out[region.name] = std::int64_t(std::ceil(peak.sessions * over));
  }
  return out;
}

}  // namespace showcaller
