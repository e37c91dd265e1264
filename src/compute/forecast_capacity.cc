// SPDX-License-Identifier: Apache-2.0
#include "compute/forecast_capacity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "model/exposure.h"

namespace showcaller {
namespace {

bool has_forecast(const FleetView& view) {
  return view.outlook && view.outlook->basis != ForecastBasis::None;
}

bool is_of_event(const EventState& event, std::string_view fleet, std::string_view build) {
  return std::ranges::any_of(event.spec().changes, [&](const Change& change) {
    const auto* own = std::get_if<BuildChange>(&change.what);
    return own && own->fleet == fleet && own->version == build;
  });
}

// Sessions that are or could be on the two sides of a region, those that drain left out: what they
// leave behind goes.
struct Sides {
  double canary = 0, others = 0;
};

Sides sides_in(const FleetView& view, const EventState& event, std::string_view region) {
  Sides out;
  for (const BuildCounts& row : view.rows) {
    if (row.region != region) continue;
    const double room = double(row.sessions - row.draining_sessions + row.free_sessions);
    (is_of_event(event, view.fleet, row.build) ? out.canary : out.others) += room;
  }
  return out;
}

// The whole fleet at one hour: sessions to have room for, and instances that will be missing, of
// those that may run where the fleet follows the forecast, else of those that run now.
struct HourNeed {
  double sessions = 0;
  std::int64_t missing = 0;
};

HourNeed need_at(const World& world, const FleetView& view, const FleetSpec& spec, Instant hour,
                 const std::optional<ForecastNeed>& asked) {
  const BuildSpec* base = spec.build(spec.base);
  const double each = base ? std::max(1, base->sessions_per_instance) : 1;
  const double over = 1 + double(asked ? asked->headroom_ppm : 0) / double(kPpmWhole);
  HourNeed out;
  for (const RegionSpec& region : spec.regions) {
    const Instant engine_hour = hour - world.clock_offset;
    const double sessions =
        peak_ahead(world, view.fleet, *view.outlook, region.name, engine_hour, {}).sessions;
    std::int64_t has = asked ? spec.capacity.instances_max : 0;
    for (const BuildCounts& row : view.rows) {
      if (!asked && row.region == region.name) has += row.starting + row.ready + row.allocated;
    }
    out.sessions += sessions;
    out.missing += std::max<std::int64_t>(0, std::int64_t(std::ceil(sessions * over / each)) - has);
  }
  return out;
}

}  // namespace

std::string hour_text(Instant hour, Instant today) {
  const std::string text = format_instant(hour);  // 2026-12-18T18:00:00Z
  const std::string time = text.substr(11, 5) + " UTC";
  return text.substr(0, 10) == format_instant(today).substr(0, 10)
             ? time
             : text.substr(0, 10) + " " + time;
}

std::optional<ForecastCoverage> coverage_before(const World& world, const FleetView& view,
                                                const EventState& event, std::int64_t headroom_ppm,
                                                Instant now) {
  const FleetSpec* spec = world.fleet(view.fleet);
  if (!spec || !has_forecast(view)) return std::nullopt;
  const auto need = need_of(event, view.fleet, *spec);
  const Duration ahead = need ? need->ahead : scale_up_time(*spec);
  const double over = 1 + double(headroom_ppm) / double(kPpmWhole);
  ForecastCoverage out{true, {}};
  DemandPeak highest;
  for (const RegionSpec& region : spec->regions) {
    const DemandPeak peak = peak_ahead(world, view.fleet, *view.outlook, region.name, now, ahead);
    if (peak.sessions > highest.sessions) highest = peak;
    const double ready = sides_in(view, event, region.name).others;
    const double needed = std::ceil(peak.sessions * over);
    if (ready >= needed) continue;
    out.enough = false;
    out.detail += fmt::format(
        "{}room for {:.0f} of {:.0f} sessions in {}, for a peak of {:.0f} forecast at {} and "
        "{:.4g} "
        "% free",
        out.detail.empty() ? "" : "; ", ready, needed, region.name, peak.sessions,
        hour_text(peak.at, world.wall(now)), double(headroom_ppm) / 1e4);
  }
  if (out.enough)
    out.detail =
        fmt::format("the forecast peak of {:.0f} sessions in a region fits", highest.sessions);
  return out;
}

std::optional<ForecastHeadroom> headroom_ahead(const World& world, const FleetView& view,
                                               const EventState& event, Instant now) {
  const FleetSpec* spec = world.fleet(view.fleet);
  if (!spec || !has_forecast(view) || event.stage < 0) return std::nullopt;
  const auto need = need_of(event, view.fleet, *spec);
  if (!need) return std::nullopt;
  std::optional<ForecastHeadroom> least;
  for (const RegionSpec& region : spec->regions) {
    const DemandPeak peak =
        peak_ahead(world, view.fleet, *view.outlook, region.name, now, need->ahead);
    const double share =
        double(planned_share_ppm(event, event.stage, region.name)) / double(kPpmWhole);
    const Sides ready = sides_in(view, event, region.name);
    const auto consider = [&](double has, double part) {
      const double needed = std::ceil(peak.sessions * part);
      if (needed < 1) return;
      const double level = has / needed - 1;
      if (least && least->level <= level) return;
      least = {level, fmt::format("of a peak of {:.0f} sessions in {} at {}", peak.sessions,
                                  region.name, hour_text(peak.at, world.wall(now)))};
    };
    consider(ready.canary, share);
    consider(ready.others, 1 - share);
  }
  return least;
}

ForecastStanding forecast_standing(const World& world, const FleetView& view, Instant now) {
  ForecastStanding out;
  const FleetSpec* spec = world.fleet(view.fleet);
  if (!spec || !has_forecast(view)) {
    out.says = view.outlook ? describe(*view.outlook) : "no forecast: nothing was observed yet";
    return out;
  }
  const auto asked = need_of_all(world, view.fleet, *spec);
  const Instant today = world.wall(now);
  std::optional<Instant> first_short;
  for (int h = 0; h < kForecastHours; ++h) {
    const Instant hour = view.outlook->from + hours(h);
    const HourNeed need = need_at(world, view, *spec, hour, asked);
    if (need.sessions > out.peak_sessions) {
      out.peak_sessions = need.sessions;
      out.peak_at = hour;
    }
    if (need.missing > 0 && !first_short) first_short = hour;
    if (need.missing > out.short_instances) {
      out.short_instances = need.missing;
      out.short_at = hour;
    }
  }
  out.says = fmt::format("peak of {:.0f} sessions at {} ({})", out.peak_sessions,
                         hour_text(out.peak_at, today), describe(*view.outlook));
  if (!first_short) return out;
  out.prewarm_from = *first_short - scale_up_time(*spec);
  out.says += fmt::format(
      "; short by {} instances at {}; {}", out.short_instances, hour_text(out.short_at, today),
      asked ? std::string("raise `capacity.max`")
      : out.prewarm_from <= today
          ? std::string("pre-warm now")
          : fmt::format("pre-warm from {}", hour_text(out.prewarm_from, today)));
  return out;
}

}  // namespace showcaller
