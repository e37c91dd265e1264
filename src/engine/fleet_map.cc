// SPDX-License-Identifier: Apache-2.0
#include "engine/fleet_map.h"

#include <array>
#include <cmath>
#include <map>

#include "compute/fleet_census.h"
#include "compute/forecast_capacity.h"
#include "engine/view.h"

namespace showcaller {
namespace {

enum class MapState { Wanted, Starting, Ready, Allocated, Draining, Unhealthy, Stopping };
constexpr std::array<std::string_view, 7> kStates{"wanted",   "starting",  "ready",   "allocated",
                                                  "draining", "unhealthy", "stopping"};

// As the journal knows it, and as it is seen where that says more.
MapState state_of(const CensusEntry& entry) {
  switch (entry.phase) {
    case InstancePhase::Draining:
      return MapState::Draining;
    case InstancePhase::Stopping:
    case InstancePhase::Gone:
      return MapState::Stopping;
    case InstancePhase::Unhealthy:
      return MapState::Unhealthy;
    case InstancePhase::Wanted:
    case InstancePhase::Ready:
      break;
  }
  if (!entry.seen) return MapState::Wanted;
  if (entry.seen->state == InstanceState::Unhealthy) return MapState::Unhealthy;
  if (!entry.idle()) return MapState::Allocated;
  return entry.seen->state == InstanceState::Ready ? MapState::Ready : MapState::Starting;
}

// Numbers for names, in the order in which they are met.
class Names {
 public:
  std::int64_t number(const std::string& name) {
    const auto [at, is_new] = numbers_.try_emplace(name, std::int64_t(list_.size()));
    if (is_new) list_.emplace_back(name);
    return at->second;
  }
  json::array take() { return std::move(list_); }

 private:
  std::map<std::string, std::int64_t> numbers_;
  json::array list_;
};

// Which of the quarantines in force isolates an instance: the narrowest.
class Culprits {
 public:
  Culprits(const World& world, const std::string& fleet, Instant now) {
    for (QuarantineEntry& entry : quarantines_of(world, fleet)) {
      if (!is_expired(entry.quarantine, now)) entries_.push_back(std::move(entry));
    }
  }

  std::int64_t of(const Instance& instance) const {
    std::int64_t found = -1;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const bool narrower = found < 0 || entries_[i].scope < entries_[std::size_t(found)].scope;
      if (narrower && isolates(entries_[i], instance)) found = std::int64_t(i);
    }
    return found;
  }

  json::array view() const {
    json::array out;
    for (const QuarantineEntry& entry : entries_) {
      json::object row{{"scope", enum_name(entry.scope)},
                       {"subject", entry.subject},
                       {"reason", entry.quarantine.reason},
                       {"since", format_instant(entry.quarantine.since)}};
      if (to_ms(entry.quarantine.until) != 0) row["until"] = format_instant(entry.quarantine.until);
      out.push_back(std::move(row));
    }
    return out;
  }

 private:
  static bool isolates(const QuarantineEntry& entry, const Instance& instance) {
    switch (entry.scope) {
      case QuarantineScope::Instance:
        return entry.subject == instance.id;
      case QuarantineScope::Build:
        return entry.subject == instance.build ||
               entry.subject == instance.build + "@" + instance.host;
      case QuarantineScope::Host:
        return entry.subject == instance.host;
      case QuarantineScope::Region:
        return entry.subject == instance.region;
    }
    return false;
  }

  std::vector<QuarantineEntry> entries_;
};

}  // namespace

json::object fleet_map_view(const World& world, const std::string& fleet,
                            std::span<const ObservedInstance> observed, Instant now) {
  const FleetCensus census = take_census(world, fleet, observed, now);
  const Culprits culprits(world, fleet, now);
  Names builds, regions, hosts;
  json::array id, build, region, host, state, sessions, players, quarantine;
  for (json::array* column :
       {&id, &build, &region, &host, &state, &sessions, &players, &quarantine})
    column->reserve(census.entries.size());
  for (const CensusEntry& entry : census.entries) {
    const Instance& instance = *entry.instance;
    if (entry.phase == InstancePhase::Gone) continue;
    id.emplace_back(instance.id);
    build.push_back(builds.number(instance.build));
    region.push_back(regions.number(instance.region));
    host.push_back(hosts.number(instance.host));
    state.push_back(std::int64_t(state_of(entry)));
    sessions.push_back(entry.sessions);
    players.push_back(entry.seen ? entry.seen->players : 0);
    quarantine.push_back(culprits.of(instance));
  }
  json::array states;
  for (const std::string_view name : kStates) states.emplace_back(name);
  return {{"fleet", fleet},
          {"builds", builds.take()},
          {"regions", regions.take()},
          {"hosts", hosts.take()},
          {"states", std::move(states)},
          {"quarantines", culprits.view()},
          {"instances", json::object{{"id", std::move(id)},
                                     {"build", std::move(build)},
                                     {"region", std::move(region)},
                                     {"host", std::move(host)},
                                     {"state", std::move(state)},
                                     {"sessions", std::move(sessions)},
                                     {"players", std::move(players)},
                                     {"quarantine", std::move(quarantine)}}}};
}

json::object fleet_demand_view(const World& world, const FleetView& view, Instant now) {
  json::object out = forecast_view(world, view, now);
  const auto columns = [](const std::map<std::string, std::vector<double>>& by_region) {
    json::object all;
    for (const auto& [region, values] : by_region) {
      json::array& column = all[region].emplace_array();
      for (const double value : values)
        column.push_back(std::isnan(value) ? json::value() : json::value(value));
    }
    return all;
  };
  if (view.outlook) {
    out["from"] = format_instant(view.outlook->from);
    out["past"] = columns(view.outlook->past);
    out["ahead"] = columns(view.outlook->sessions);
  }
  if (const FleetSpec* spec = world.fleet(view.fleet)) {
    json::object most;
    for (const RegionSpec& region : spec->regions) most[region.name] = spec->capacity.instances_max;
    out["instances_max"] = std::move(most);
    const BuildSpec* base = spec->build(spec->base);
    out["sessions_per_instance"] = base ? std::max(1, base->sessions_per_instance) : 1;
  }
  return out;
}

}  // namespace showcaller
