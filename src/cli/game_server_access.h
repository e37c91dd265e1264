// SPDX-License-Identifier: Apache-2.0
// Lets game servers speak to the server that started them: SHOWCALLER_URL and SHOWCALLER_TOKEN in
// their environment, a token of the role game-server. A manifest that sets either itself keeps its
// own.
//
// Threads: as the driver behind it; give() before the first pass.
#pragma once

#include <string>

#include "compute/port/fleet_driver.h"

namespace showcaller {

class GameServerAccess final : public FleetDriver {
 public:
  explicit GameServerAccess(FleetDriver* driver) : driver_(*driver) {}

  void give(std::string url, std::string token) {
    url_ = std::move(url);
    token_ = std::move(token);
  }

  Result<std::vector<ObservedInstance>> observe() override { return driver_.observe(); }
  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) override {
    std::vector<FleetAction> with_access(actions.begin(), actions.end());
    for (FleetAction& action : with_access) {
      if (auto* start = std::get_if<StartInstance>(&action)) {
        start->spec.env.try_emplace("SHOWCALLER_URL", url_);
        start->spec.env.try_emplace("SHOWCALLER_TOKEN", token_);
      }
    }
    return driver_.apply(epoch, with_access);
  }
  void allocate(const AllocateInstance& allocation) override { driver_.allocate(allocation); }

 private:
  FleetDriver& driver_;
  std::string url_, token_;
};

}  // namespace showcaller
