// SPDX-License-Identifier: Apache-2.0
// The difference between what the durable world wants and what the driver shows, as actions.
// Repeated until the driver shows that they are done: every action is idempotent by the instance's
// id.
#include "base/trace_context.h"
#include "compute/fleet_census.h"
#include "compute/fleet_planner.h"
#include "model/revision_trace.h"

namespace showcaller {
namespace {

InstanceSpec instance_spec(const FleetSpec& fleet, const BuildSpec& build, const Instance& instance,
                           const std::string& trace) {
  InstanceSpec out;
  out.id = instance.id;
  out.fleet = instance.fleet;
  out.build = instance.build;
  out.region = instance.region;
  out.host = instance.host;
  out.command = build.command;
  out.env = build.env;
  if (!trace.empty()) {
    const std::string span = instance_span_id(trace, instance.id);
    out.env.emplace("TRACEPARENT", format_traceparent(trace, span, true));
  }
  out.work_folder = build.work_folder;
  out.user = fleet.user;
  out.ports = fleet.ports;
  out.labels = {{"showcaller.dev/fleet", instance.fleet},
                {"showcaller.dev/build", instance.build},
                {"showcaller.dev/region", instance.region}};
  out.health_period = fleet.health.period;
  out.health_failures = fleet.health.failures;
  out.start_timeout = fleet.health.start_timeout;
  out.probe = fleet.health.probe;
  out.limits = {fleet.memory_mib_max, fleet.open_files_max, fleet.log_bytes_max};
  out.counters = fleet.counters;
  out.lists = fleet.lists;
  return out;
}

}  // namespace

std::vector<FleetAction> wanted_actions(const World& world, const std::string& fleet,
                                        std::span<const ObservedInstance> observed, Instant now) {
  std::vector<FleetAction> out;
  const FleetSpec* spec = world.fleet(fleet);
  const FleetCensus census = take_census(world, fleet, observed, now);
  std::map<std::string, std::string> traces;  // by build, of those that are started
  const auto trace_of = [&](const std::string& build) -> const std::string& {
    const auto [at, fresh] = traces.try_emplace(build);
    if (fresh) at->second = trace_of_build(world, fleet, build);
    return at->second;
  };
  const Duration grace = spec ? spec->stop_grace : FleetSpec{}.stop_grace;
  for (const CensusEntry& entry : census.entries) {
    const Instance& instance = *entry.instance;
    if (entry.phase == InstancePhase::Wanted && !entry.seen && spec) {
      const BuildSpec* build = spec->build(instance.build);
      const bool forbidden =
          census.quarantines.forbids_start(instance.build, instance.region, instance.host);
      if (build && !forbidden)
        out.push_back(
            StartInstance{instance_spec(*spec, *build, instance, trace_of(instance.build))});
    } else if (entry.phase == InstancePhase::Stopping && entry.alive()) {
      out.push_back(StopInstance{instance.id, grace, instance.reason});
    }
  }
  for (const ObservedInstance* seen : census.strangers) {
    if (seen->state == InstanceState::Exited) {
      out.push_back(ForgetInstance{seen->id});
    } else if (!spec || !spec->build(seen->build)) {
      // Nobody could adopt it. Its session may end; then it goes.
      if (sessions_on(*seen) == 0)
        out.push_back(StopInstance{seen->id, grace, "its build is not known here"});
    } else if (seen->state == InstanceState::Unhealthy || seen->state == InstanceState::Shutdown) {
      out.push_back(StopInstance{seen->id, grace, "not known here, and not healthy"});
    }
  }
  return out;
}

}  // namespace showcaller
