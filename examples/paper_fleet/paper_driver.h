// SPDX-License-Identifier: Apache-2.0
// A fleet driver without machines: what is started is ready at once, and has players by an even
// chance that changes every few seconds. For looking at large fleets; nothing plays on it.
//
// Threads: as fleet_driver.h says.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "compute/port/fleet_driver.h"

namespace showcaller {

class PaperDriver final : public FleetDriver {
 public:
  Result<std::vector<ObservedInstance>> observe() override;
  std::uint64_t epoch() const override;
  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) override;
  Status disturb(std::uint64_t epoch, const DisturbInstance& disturbance) override;
  void allocate(const AllocateInstance&) override {}

 private:
  Status lead(std::uint64_t epoch);

  mutable std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::map<std::string, ObservedInstance> instances_;
};

}  // namespace showcaller
