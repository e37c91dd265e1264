// SPDX-License-Identifier: Apache-2.0
#include "engine/baseline_sources.h"

#include <algorithm>
#include <set>

#include "compute/fleet_demand.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

bool takes_everybody(const EventState& event, const FleetSpec& fleet) {
  return canary_share_ppm(event) > 0 &&
         std::all_of(fleet.regions.begin(), fleet.regions.end(), [&](const RegionSpec& region) {
           return planned_share_ppm(event, event.stage, region.name) >= kPpmWhole;
         });
}

void add_builds(const World& world, const std::string& fleet, const std::string& event,
                std::vector<BaselineSource>* out) {
  const FleetSpec* spec = world.fleet(fleet);
  if (!spec) return;
  const std::vector<BuildLayer> layers = build_layers(world, fleet, *spec);
  const auto own = std::find_if(layers.begin(), layers.end(),
                                [&](const BuildLayer& layer) { return layer.name == event; });
  for (auto at = own == layers.end() ? layers.begin() : own + 1; at != layers.end(); ++at) {
    if (at->event->phase != Phase::Live) continue;
    out->push_back({fleet, at->change->version, ""});
    if (takes_everybody(*at->event, *spec)) return;
  }
  out->push_back({fleet, spec->base, ""});
}

std::vector<std::string> fleets_of(const World& world) {
  std::vector<std::string> out;
  constexpr std::string_view kPrefix = "Fleet/";
  world.manifests.each_from(kPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kPrefix)) return false;
    out.push_back(stored.manifest->name);
    return true;
  });
  return out;
}

}  // namespace

std::vector<BaselineSource> baseline_sources(const World& world, const std::string& name) {
  const EventState* event = world.event(name);
  std::set<std::string> changed;
  if (event && event->manifest) {
    for (const Change& change : event->spec().changes) {
      if (const auto* build = std::get_if<BuildChange>(&change.what)) changed.insert(build->fleet);
    }
  }
  std::vector<BaselineSource> out;
  if (changed.empty()) {
    for (const std::string& fleet : fleets_of(world)) add_builds(world, fleet, name, &out);
    if (event) out.push_back({"", "", name});
  } else {
    for (const std::string& fleet : changed) add_builds(world, fleet, name, &out);
  }
  return out;
}

std::vector<BaselineSource> baseline_sources(const World& world) {
  return baseline_sources(world, {});
}

}  // namespace showcaller
