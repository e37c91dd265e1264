// SPDX-License-Identifier: Apache-2.0
#include "compute/fleet_capacity.h"

#include <algorithm>

#include <fmt/format.h>

#include "compute/fleet_census.h"
#include "compute/forecast_capacity.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

// The event's build on the fleet; null: it needs its headroom alone.
const BuildChange* build_on(const EventState& event, std::string_view fleet) {
  for (const Change& change : event.spec().changes) {
    const auto* build = std::get_if<BuildChange>(&change.what);
    if (build && build->fleet == fleet) return build;
  }
  return nullptr;
}

void add(std::string* missing, std::string what) {
  *missing += (missing->empty() ? "" : "; ") + std::move(what);
}

std::string minimum_missing(const FleetSpec& spec, const FleetView& view, const EventState& event,
                            const BuildChange& build, int* ready) {
  const int last = int(event.spec().stages.size()) - 1;
  std::string missing;
  for (const RegionSpec& region : spec.regions) {
    if (reach_ppm(event, last, region.name) <= 0) continue;
    const BuildCounts* row = view.find(build.version, region.name);
    const int have = row ? row->ready + row->allocated : 0;
    *ready += have;
    if (have >= spec.capacity.canary_instances_min) continue;
    add(&missing, fmt::format("{} of {} instances of build {} ready in {}", have,
                              spec.capacity.canary_instances_min, build.version, region.name));
  }
  return missing;
}

// The headroom that the manifest asks of the fleet. Ready, the detail says what is noteworthy.
CapacityStanding headroom_standing(const World& world, const FleetView& view,
                                   const EventState& event, Instant now) {
  const ReadinessSpec& readiness = event.spec().readiness;
  const bool asked = readiness.capacity_headroom_ppm &&
                     (readiness.capacity_fleet.empty() || readiness.capacity_fleet == view.fleet);
  if (!asked) return {true, {}};
  const std::int64_t wanted = *readiness.capacity_headroom_ppm;
  std::string why_current;
  if (readiness.capacity_from_forecast) {
    if (auto ahead = coverage_before(world, view, event, wanted, now))
      return {ahead->enough, std::move(ahead->detail)};
    why_current = fmt::format(
        "need is what runs now ({})",
        view.outlook ? describe(*view.outlook) : std::string("no forecast: none was made"));
  }
  if (view.headroom_ppm() >= wanted) return {true, std::move(why_current)};
  std::string missing =
      fmt::format("headroom of fleet {} is below {:.4g} %", view.fleet, double(wanted) / 1e4);
  if (!why_current.empty()) missing += "; " + why_current;
  return {false, std::move(missing)};
}

// What a region has of a build, and what it could still come to have.
struct Room {
  std::int64_t sessions = 0;  // that run there, on any build
  std::int64_t room = 0;      // for the build's sessions, those that run on it included
  std::int64_t most = 0;      // what the room could become now
};

Room room_of(const FleetSpec& spec, const FleetView& view, const std::string& version,
             const std::string& region) {
  const BuildSpec* build = spec.build(version);
  const std::int64_t each = build ? std::max(1, build->sessions_per_instance) : 1;
  Room out;
  std::int64_t living = 0, to_come = 0, granted = 0;
  for (const BuildCounts& row : view.rows) {
    if (row.region != region) continue;
    out.sessions += row.sessions;
    living += row.starting + row.ready + row.allocated + row.draining + row.unhealthy;
    const bool own = row.build == version;
    const int surplus = row.ready + row.allocated + row.starting - row.desired;
    to_come += own ? row.starting : std::clamp(surplus, 0, row.ready);
    if (!own) continue;
    out.room = row.sessions + row.free_sessions;
    granted = row.desired * each;
  }
  // Beside what starts and what other builds have too much of, the places that nobody has.
  to_come += std::max<std::int64_t>(0, spec.capacity.instances_max - living);
  out.most = std::min(granted, out.room + to_come * each);
  return out;
}

}  // namespace

std::vector<std::string> fleets_needed(const LiveEventSpec& spec) {
  std::vector<std::string> fleets;
  for (const Change& change : spec.changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what)) fleets.push_back(build->fleet);
  }
  const ReadinessSpec& readiness = spec.readiness;
  if (readiness.capacity_headroom_ppm && !readiness.capacity_fleet.empty())
    fleets.push_back(readiness.capacity_fleet);
  std::sort(fleets.begin(), fleets.end());
  fleets.erase(std::unique(fleets.begin(), fleets.end()), fleets.end());
  return fleets;
}

std::string capacity_check(const LiveEventSpec& spec, const std::string& fleet) {
  return fleets_needed(spec).size() > 1 ? "capacity:" + fleet : "capacity";
}

CapacityStanding capacity_standing(const World& world, const FleetView& view,
                                   const EventState& event, Instant now) {
  const FleetSpec* spec = world.fleet(view.fleet);
  if (!spec) return {false, fmt::format("there is no fleet {}", view.fleet)};
  int ready = 0;
  const BuildChange* build = build_on(event, view.fleet);
  if (build) {
    if (auto missing = minimum_missing(*spec, view, event, *build, &ready); !missing.empty())
      return {false, std::move(missing)};
  }
  const CapacityStanding headroom = headroom_standing(world, view, event, now);
  if (!headroom.ready) return headroom;
  const std::string also = headroom.detail.empty() ? "" : "; " + headroom.detail;
  if (!build) return {true, fmt::format("fleet {} has the headroom{}", view.fleet, also)};
  return {true, fmt::format("{} instances of build {} are ready{}", ready, build->version, also)};
}

CapacityStanding stage_capacity(const World& world, const FleetView& view, const EventState& event,
                                int stage, bool was_ready, Instant now) {
  const std::string& name = event.spec().stages[std::size_t(stage)].name;
  const FleetSpec* spec = world.fleet(view.fleet);
  const BuildChange* build = build_on(event, view.fleet);
  if (!spec || !build) return {true, fmt::format("stage {} brings no build to it", name)};
  if (quarantines_in_force(world, view.fleet, now).builds.contains(build->version))
    return {false, fmt::format("stage {}: build {} is quarantined", name, build->version)};
  std::string missing;
  std::int64_t there = 0;
  for (const RegionSpec& region : spec->regions) {
    if (reach_ppm(event, stage, region.name) <= 0) continue;
    const Room room = room_of(*spec, view, build->version, region.name);
    const std::int64_t share = planned_share_ppm(event, stage, region.name);
    const std::int64_t of_share = (room.sessions * share + kPpmWhole - 1) / kPpmWhole;
    const std::int64_t needed = std::max<std::int64_t>(1, std::min(of_share, room.most));
    there += room.room;
    if (room.room >= needed - needed / (was_ready ? 4 : 10)) continue;
    add(&missing, fmt::format("room for {} of {} sessions in {}", room.room, needed, region.name));
  }
  if (missing.empty())
    return {true, fmt::format("stage {} fits: build {} has room for {} sessions", name,
                              build->version, there)};
  return {false, fmt::format("stage {}: build {} has {}", name, build->version, missing)};
}

}  // namespace showcaller
