// SPDX-License-Identifier: Apache-2.0
#include "compute/fleet_view.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compute/fleet_census.h"
#include "compute/fleet_demand.h"

namespace showcaller {
namespace {

void count(const CensusEntry& entry, std::int64_t sessions_each, BuildCounts* row) {
  row->quarantined += entry.isolated;
  row->sessions += entry.sessions;
  const bool starting = entry.phase == InstancePhase::Wanted ||
                        (entry.seen && entry.seen->state == InstanceState::Starting);
  switch (entry.phase) {
    case InstancePhase::Wanted:
    case InstancePhase::Ready: {
      if (entry.seen && entry.seen->state == InstanceState::Unhealthy) {
        ++row->unhealthy;
      } else if (starting && entry.idle()) {
        // The driver may show it ready before its record is written.
        const bool ready =
            entry.seen && entry.seen->state == InstanceState::Ready && !entry.isolated;
        ++(ready ? row->ready : row->starting);
        if (ready) row->free_sessions += sessions_each;
      } else if (!entry.idle()) {
        ++row->allocated;
        if (!entry.isolated)
          row->free_sessions += std::max<std::int64_t>(0, sessions_each - entry.sessions);
      } else if (entry.seen && entry.seen->state == InstanceState::Ready) {
        if (entry.isolated) return;
        ++row->ready;
        row->free_sessions += sessions_each;
      }
      return;
    }
    case InstancePhase::Unhealthy:
      ++row->unhealthy;
      return;
    case InstancePhase::Draining:
    case InstancePhase::Stopping:
      row->draining_sessions += entry.sessions;
      ++row->draining;
      return;
    case InstancePhase::Gone:
      return;
  }
}

bool has_build(const EventState& event, std::string_view fleet, std::string_view version) {
  return std::any_of(event.spec().changes.begin(), event.spec().changes.end(),
                     [&](const Change& change) {
                       const auto* build = std::get_if<BuildChange>(&change.what);
                       return build && build->fleet == fleet && build->version == version;
                     });
}

}  // namespace

const BuildCounts* FleetView::find(std::string_view build, std::string_view region) const {
  for (const BuildCounts& row : rows) {
    if (row.build == build && row.region == region) return &row;
  }
  return nullptr;
}

BuildCounts FleetView::total(std::string_view build) const {
  BuildCounts sum;
  sum.build = build;
  for (const BuildCounts& row : rows) {
    if (!build.empty() && row.build != build) continue;
    sum.desired += row.desired;
    sum.starting += row.starting;
    sum.ready += row.ready;
    sum.allocated += row.allocated;
    sum.draining += row.draining;
    sum.unhealthy += row.unhealthy;
    sum.quarantined += row.quarantined;
    sum.sessions += row.sessions;
    sum.free_sessions += row.free_sessions;
    sum.draining_sessions += row.draining_sessions;
  }
  return sum;
}

std::int64_t FleetView::headroom_ppm(std::string_view build) const {
  const BuildCounts sum = total(build);
  return sum.free_sessions * kPpmWhole / std::max<std::int64_t>(1, sum.sessions);
}

FleetView fleet_view(const World& world, const std::string& fleet,
                     std::span<const ObservedInstance> observed) {
  return fleet_view(world, fleet, observed, world.time);
}

FleetView fleet_view(const World& world, const std::string& fleet,
                     std::span<const ObservedInstance> observed, Instant now,
                     std::shared_ptr<const DemandOutlook> outlook) {
  FleetView view{fleet, {}, std::move(outlook)};
  const FleetSpec* spec = world.fleet(fleet);
  const FleetCensus census = take_census(world, fleet, observed, now);
  std::map<BuildRegion, BuildCounts> rows;
  std::map<BuildRegion, BuildUse> use;
  const auto each = [&](const std::string& build) -> std::int64_t {
    const BuildSpec* found = spec ? spec->build(build) : nullptr;
    return found ? std::max(1, found->sessions_per_instance) : 1;
  };
  auto row = rows.end();  // Most stand beside their like.
  BuildUse* in_use = nullptr;
  std::int64_t sessions_each = 1;
  for (const CensusEntry& entry : census.entries) {
    const Instance& instance = *entry.instance;
    if (row == rows.end() || row->first.first != instance.build ||
        row->first.second != instance.region) {
      row = rows.try_emplace({instance.build, instance.region}).first;
      sessions_each = each(instance.build);
      in_use = nullptr;
    }
    count(entry, sessions_each, &row->second);
    if (entry.idle() || entry.phase == InstancePhase::Stopping) continue;
    if (!in_use) in_use = &use[row->first];
    if (entry.phase == InstancePhase::Draining || entry.isolated)
      ++in_use->draining;
    else
      in_use->instances += std::max<std::int64_t>(1, entry.sessions);  // In sessions, until below.
  }
  for (auto& [key, of_build] : use)
    of_build.instances = (of_build.instances + each(key.first) - 1) / each(key.first);
  if (spec) {
    const std::vector<std::string> quarantined(census.quarantines.builds.begin(),
                                               census.quarantines.builds.end());
    const auto demand = fleet_demand(*spec, build_layers(world, fleet, *spec), use, quarantined,
                                     now, room_ahead(world, fleet, *spec, view.outlook.get(), now));
    for (const auto& [key, wanted] : demand) {
      if (wanted.desired > 0 || rows.contains(key)) rows[key].desired = wanted.desired;
    }
  }
  for (auto& [key, row] : rows) {
    row.build = key.first;
    row.region = key.second;
    view.rows.push_back(std::move(row));
  }
  return view;
}

bool build_is_drained(const World& world, const std::string& name,
                      std::span<const ObservedInstance> observed) {
  const EventState* event = world.event(name);
  if (!event || !event->manifest) return true;
  for (const ObservedInstance& seen : observed) {
    if (seen.state == InstanceState::Exited || !has_build(*event, seen.fleet, seen.build)) continue;
    if (sessions_on(seen) > 0 || seen.state == InstanceState::Reserved) return false;
    const Instance* instance = world.instances.find(instance_key(seen.fleet, seen.id));
    const bool could_take = !instance || instance->phase == InstancePhase::Ready ||
                            instance->phase == InstancePhase::Wanted;
    if (could_take && event->intake != IntakeState::Closed) return false;
  }
  return true;
}

}  // namespace showcaller
