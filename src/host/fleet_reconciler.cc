// SPDX-License-Identifier: Apache-2.0
#include "host/fleet_reconciler.h"

#include <fmt/format.h>

#include "compute/fleet_planner.h"

namespace showcaller {

FleetDriver* FleetReconciler::driver_of(const World& world, std::string_view fleet) const {
  const FleetSpec* spec = world.fleet(fleet);
  if (!spec) return nullptr;
  const auto at = drivers_.find(spec->driver);
  return at == drivers_.end() ? nullptr : at->second;
}

std::vector<Error> FleetReconciler::pass(const std::function<void(const FleetPass&)>& seen) {
  std::vector<Error> errors;
  const auto world = host_->published();
  std::map<std::string, std::map<std::string, std::vector<ObservedInstance>>> by_driver;
  for (const auto& [name, driver] : drivers_) {
    auto observed = driver->observe();
    if (!observed) {
      errors.push_back(observed.error());
      continue;
    }
    auto& fleets = by_driver[name];
    for (ObservedInstance& instance : *observed)
      fleets[instance.fleet].push_back(std::move(instance));
  }
  const Instant now = host_->now();
  world->manifests.each_from(
      std::string_view("Fleet/"), [&](const std::string& key, const StoredManifest& stored) {
        if (!key.starts_with("Fleet/")) return false;
        const auto driver = by_driver.find(stored.manifest->as<FleetSpec>().driver);
        if (driver == by_driver.end())
          return true;  // Unknown or unreachable: said in errors, or refused at apply.
        FleetPass pass{stored.manifest->name, std::move(driver->second[stored.manifest->name])};
        // What the durable world already wants; what this observation leads to is wanted at the
        // next pass.
        const auto actions = wanted_actions(*world, pass.fleet, pass.instances, now);
        if (!actions.empty()) {
          const Status applied = drivers_.at(driver->first)->apply(host_->epoch(), actions);
          if (!applied) errors.push_back(applied.error());
        }
        seen(pass);
        (void)host_->submit(FleetObserved{pass.fleet, std::move(pass.instances)});
        return true;
      });
  return errors;
}

}  // namespace showcaller
