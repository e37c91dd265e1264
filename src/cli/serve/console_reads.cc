// SPDX-License-Identifier: Apache-2.0
// What the console draws, over the host: evidence over time, the calendar, fleets.
#include <set>
#include <utility>

#include <fmt/format.h>

#include "cli/serve/host_backend.h"
#include "engine/calendar.h"
#include "engine/fleet_map.h"
#include "host/evidence_curve.h"

namespace showcaller {
namespace {

std::unexpected<Error> no_such_thing(std::string_view what, std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no {} '{}'", what, name));
}

json::object look_columns(const FleetLooks& looks) {
  json::array at, ready, allocated, starting, draining, unhealthy, quarantined, sessions, headroom;
  for (const FleetLook& look : looks) {
    at.push_back(double(to_ms(look.at)) / 1000);
    ready.push_back(look.total.ready);
    allocated.push_back(look.total.allocated);
    starting.push_back(look.total.starting);
    draining.push_back(look.total.draining);
    unhealthy.push_back(look.total.unhealthy);
    quarantined.push_back(look.total.quarantined);
    sessions.push_back(look.total.sessions);
    headroom.push_back(double(look.headroom_ppm) / 10'000);
  }
  return {{"at", std::move(at)},
          {"ready", std::move(ready)},
          {"allocated", std::move(allocated)},
          {"starting", std::move(starting)},
          {"draining", std::move(draining)},
          {"unhealthy", std::move(unhealthy)},
          {"quarantined", std::move(quarantined)},
          {"sessions", std::move(sessions)},
          {"headroom_percent", std::move(headroom)}};
}

}  // namespace

// Who plays on what the event brought, as last observed.
json::object HostBackend::on_its_builds(const EventState& event) const {
  std::set<std::pair<std::string, std::string>> builds;
  for (const Change& change : event.spec().changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what))
      builds.emplace(build->fleet, build->version);
  }
  std::int64_t instances = 0, sessions = 0, players = 0;
  for (const FleetPass& pass : host_.fleets()) {
    for (const ObservedInstance& instance : *pass.instances) {
      if (!builds.contains({pass.fleet, instance.build})) continue;
      if (instance.state == InstanceState::Exited) continue;
      ++instances;
      sessions += sessions_on(instance);
      players += instance.players;
    }
  }
  return {{"instances", instances}, {"sessions", sessions}, {"players", players}};
}

json::value HostBackend::calendar() const {
  return calendar_view(*host_.world(), host_.engine().now());
}

Result<json::value> HostBackend::evidence(const EvidenceQuery& query) const {
  const auto world = host_.world();
  const EventState* event = world->event(query.event);
  if (!event) return no_such_thing("LiveEvent", query.event);
  const CurveQuestion question{.event = query.event,
                               .revision = query.revision ? query.revision : event->revision,
                               .visit = query.visit ? query.visit : event->visit,
                               .live = query.live};
  TRY(json::object curve, evidence_curve(*world, &host_.evidence(), question));
  return curve;
}

Result<json::value> HostBackend::fleet_map(std::string_view name) const {
  const auto world = host_.world();
  if (!world->fleet(name)) return no_such_thing("Fleet", name);
  const std::string fleet(name);
  Shared<std::vector<ObservedInstance>> observed;
  for (const FleetPass& pass : host_.fleets()) {
    if (pass.fleet == fleet) observed = pass.instances;
  }
  return fleet_map_view(*world, fleet, *observed, host_.engine().now());
}

Result<json::value> HostBackend::fleet_demand(std::string_view name) const {
  const auto world = host_.world();
  if (!world->fleet(name)) return no_such_thing("Fleet", name);
  const std::string fleet(name);
  json::object out = fleet_demand_view(*world, host_.view_of(fleet), host_.engine().now());
  out["looks"] = look_columns(host_.trail_of(fleet));
  return out;
}

}  // namespace showcaller
