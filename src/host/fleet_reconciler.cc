// SPDX-License-Identifier: Apache-2.0
#include "host/fleet_reconciler.h"

#include <algorithm>

#include <fmt/format.h>

#include "compute/fleet_planner.h"

namespace showcaller {
namespace {

std::map<std::string, std::vector<ObservedInstance>> by_fleet(
    std::vector<ObservedInstance> observed) {
  std::map<std::string, std::vector<ObservedInstance>> out;
  if (observed.empty()) return out;
  const std::string& first = observed.front().fleet;
  const bool is_one = std::all_of(observed.begin(), observed.end(),
                                  [&](const auto& instance) { return instance.fleet == first; });
  if (is_one) {
    std::string fleet = first;
    out.emplace(std::move(fleet), std::move(observed));
    return out;
  }
  for (ObservedInstance& instance : observed) out[instance.fleet].push_back(std::move(instance));
  return out;
}

}  // namespace

FleetDriver* FleetReconciler::driver_of(const World& world, std::string_view fleet) const {
  const FleetSpec* spec = world.fleet(fleet);
  if (!spec) return nullptr;
  const auto at = drivers_.find(spec->driver);
  return at == drivers_.end() ? nullptr : at->second;
}

std::vector<Error> FleetReconciler::pass(const std::function<void(FleetPass&)>& seen) {
  std::vector<Error> errors;
  const auto world = host_->published();
  using Observed = std::vector<ObservedInstance>;
  std::map<std::string, std::map<std::string, Observed>> by_driver;
  for (const auto& [name, driver] : drivers_) {
    auto observed = driver->observe();
    if (!observed) {
      errors.push_back(observed.error());
      continue;
    }
    by_driver[name] = by_fleet(*std::move(observed));
  }
  const Instant now = host_->now();
  const auto act = [&](const std::string& driver, const FleetPass& pass) {
    const auto actions = wanted_actions(*world, pass.fleet, *pass.instances, now);
    if (actions.empty()) return;
    const Status applied = drivers_.at(driver)->apply(host_->epoch(), actions);
    if (!applied) errors.push_back(applied.error());
  };
  world->manifests.each_from(
      std::string_view("Fleet/"), [&](const std::string& key, const StoredManifest& stored) {
        if (!key.starts_with("Fleet/")) return false;
        const auto driver = by_driver.find(stored.manifest->as<FleetSpec>().driver);
        if (driver == by_driver.end())
          return true;  // Unknown or unreachable: said in errors, or refused at apply.
        auto own = driver->second.extract(stored.manifest->name);
        FleetPass pass{stored.manifest->name, own ? std::move(own.mapped()) : Observed{}, {}};
        // What the durable world already wants; what this observation leads to is wanted at the
        // next pass.
        act(driver->first, pass);
        seen(pass);
        (void)host_->submit(
            FleetObserved{pass.fleet, std::move(pass.instances), std::move(pass.outlook)});
        return true;
      });
  // Of fleets that were removed: nothing runs unseen, and no folder stays.
  for (auto& [driver, fleets] : by_driver) {
    for (auto& [fleet, instances] : fleets) {
      if (!world->fleet(fleet)) act(driver, {fleet, std::move(instances), {}});
    }
  }
  return errors;
}

}  // namespace showcaller
