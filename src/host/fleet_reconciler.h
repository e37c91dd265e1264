// SPDX-License-Identifier: Apache-2.0
// Drives the fleet drivers to the durable world: observe, tell the engine and the allocator, apply
// what differs.
//
// Threads: one. An unreachable driver is no news about its instances: nothing is concluded from it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/shared.h"
#include "compute/demand_outlook.h"
#include "compute/port/fleet_driver.h"
#include "host/engine_host.h"

namespace showcaller {

struct FleetPass {
  std::string fleet;
  Shared<std::vector<ObservedInstance>> instances;
  std::shared_ptr<const DemandOutlook> outlook;  // of its demand; null: none was made
};

class FleetReconciler {
 public:
  // Drivers by the name that FleetSpec::driver gives.
  FleetReconciler(EngineHost* host, std::map<std::string, FleetDriver*> drivers)
      : host_(host), drivers_(std::move(drivers)) {}

  // One pass over every fleet; `seen` is called with each fleet's observation, and may add to it
  // before the engine is told. Returns the errors of drivers, if any.
  std::vector<Error> pass(const std::function<void(FleetPass&)>& seen);
  FleetDriver* driver_of(const World& world, std::string_view fleet) const;

 private:
  EngineHost* host_;
  std::map<std::string, FleetDriver*> drivers_;
};

}  // namespace showcaller
