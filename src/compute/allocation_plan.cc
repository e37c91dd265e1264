// SPDX-License-Identifier: Apache-2.0
#include "compute/allocation_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/deliberate_bug.h"
#include "compute/fleet_census.h"
#include "compute/fleet_demand.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

PlannedBuild planned(const BuildSpec& spec) {
  PlannedBuild out{spec.protocols, std::max(1, spec.sessions_per_instance), false};
  std::sort(out.protocols.begin(), out.protocols.end());
  return out;
}

std::shared_ptr<const Exposure> compiled(ExposureRule rule) {
  if (rule.stages.empty()) return nullptr;
  auto exposure = Exposure::compile(std::move(rule));
  // The manifest's audience was checked when it was applied. One that still does not compile admits
  // nobody.
  return exposure ? std::make_shared<const Exposure>(*std::move(exposure)) : nullptr;
}

std::string rule_state_of(const EventState& event) {
  return fmt::format("{}/{}/{}/{}/{}/{}/{}", event.revision, event.visit, event.stage,
                     event.exposure_ppm, enum_name(event.phase), enum_name(event.intake),
                     event.diverted);
}

const CanaryLayer* find_layer(const AllocationPlan* plan, const std::string& fleet,
                              std::string_view event, const std::string& rule_state) {
  if (!plan) return nullptr;
  const auto at = plan->fleets.find(fleet);
  if (at == plan->fleets.end()) return nullptr;
  for (const CanaryLayer& layer : at->second.layers) {
    if (layer.event == event && layer.rule_state == rule_state) return &layer;
  }
  return nullptr;
}

CanaryLayer canary_layer(const BuildLayer& layer, const std::string& fleet, const SaltOf& salt_of,
                         const AllocationPlan* before) {
  const EventState& event = *layer.event;
  CanaryLayer out;
  out.event = layer.name;
  out.revision = event.revision;
  out.visit = event.visit;
  out.build = layer.change->version;
  out.unit = event.spec().assigned_unit();
  out.pace_per_minute = event.pace_per_minute;
  out.sessions_canary = event.sessions_canary;
  out.sessions_baseline = event.sessions_baseline;
  out.rule_state = rule_state_of(event);
  if (const CanaryLayer* same = find_layer(before, fleet, layer.name, out.rule_state)) {
    out.admits = same->admits;
    out.eligible = same->eligible;
    out.exempt = same->exempt;
    return out;
  }
  const std::string salt = salt_of(out.event);
  out.admits = compiled(exposure_rule(event, salt));
  out.eligible = compiled(eligibility_rule(event, salt));
  out.exempt = compiled(exempt_rule(event, salt));
  return out;
}

void take_quarantines(const FleetQuarantines& quarantines, FleetAllocationPlan* plan) {
  plan->quarantined_hosts.assign(quarantines.hosts.begin(), quarantines.hosts.end());
  plan->quarantined_regions.assign(quarantines.regions.begin(), quarantines.regions.end());
  plan->withheld.assign(quarantines.instances.begin(), quarantines.instances.end());
  for (const std::string& subject : quarantines.builds) {
    if (subject.find('@') != std::string::npos)
      plan->quarantined_pairs.push_back(subject);
    else if (const auto at = plan->builds.find(subject); at != plan->builds.end())
      at->second.quarantined = true;
  }
}

void take_withheld(const World& world, const std::string& fleet, FleetAllocationPlan* plan) {
  const std::string prefix = fleet + "/";
  world.instances.each_from(prefix, [&](const std::string& key, const Instance& instance) {
    if (!key.starts_with(prefix)) return false;
    const bool may_take =
        instance.phase == InstancePhase::Wanted || instance.phase == InstancePhase::Ready;
    if (!may_take) plan->withheld.push_back(instance.id);
    return true;
  });
  std::sort(plan->withheld.begin(), plan->withheld.end());
  plan->withheld.erase(std::unique(plan->withheld.begin(), plan->withheld.end()),
                       plan->withheld.end());
}

}  // namespace

bool PlannedBuild::speaks(int protocol) const {
  return protocol == 0 || protocols.empty() ||
         std::binary_search(protocols.begin(), protocols.end(), protocol);
}

AllocationPlan make_allocation_plan(const World& world, const SaltOf& salt_of,
                                    const AllocationPlan* before) {
  AllocationPlan plan{world.seq, world.epoch, {}};
  const std::string_view prefix = "Fleet/";
  world.manifests.each_from(prefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(prefix)) return false;
    const std::string& name = stored.manifest->name;
    const FleetSpec& spec = stored.manifest->as<FleetSpec>();
    FleetAllocationPlan& out = plan.fleets[name];
    out.base = spec.base;
    out.unclaimed_after = spec.unclaimed_after;
    out.reuse = spec.reuse;
    for (const BuildSpec& build : spec.builds) out.builds[build.version] = planned(build);
    for (const RegionSpec& region : spec.regions) out.regions.push_back(region.name);
    for (const BuildLayer& layer : build_layers(world, name, spec)) {
      out.layers.push_back(canary_layer(layer, name, salt_of, before));
      if (layer.change->protocols.empty()) continue;
      PlannedBuild& build = out.builds[layer.change->version];
      build.protocols = layer.change->protocols;
      std::sort(build.protocols.begin(), build.protocols.end());
    }
    if (!broken(DeliberateBug::QuarantineTakesSessions))
      take_quarantines(quarantines_in_force(world, name, world.time), &out);
    if (!broken(DeliberateBug::DrainingTakesSessions)) take_withheld(world, name, &out);
    return true;
  });
  return plan;
}

bool concerns_allocation(const Payload& payload) {
  if (const auto* moved = std::get_if<InstanceMoved>(&payload))
    return moved->to != InstancePhase::Gone;
  return std::holds_alternative<ManifestApplied>(payload) ||
         std::holds_alternative<ManifestRemoved>(payload) ||
         std::holds_alternative<EventRevised>(payload) ||
         std::holds_alternative<RevisionAdopted>(payload) ||
         std::holds_alternative<PhaseChanged>(payload) ||
         std::holds_alternative<StageEntered>(payload) ||
         std::holds_alternative<ExposureWidened>(payload) ||
         std::holds_alternative<IntakeChanged>(payload) ||
         std::holds_alternative<PaceSet>(payload) || std::holds_alternative<DivertSet>(payload) ||
         std::holds_alternative<QuarantineSet>(payload) ||
         std::holds_alternative<QuarantineLifted>(payload);
}

}  // namespace showcaller
