// SPDX-License-Identifier: Apache-2.0
// Where sessions are given their instances: the allocator behind a lock, kept on the last published plan, with the
// drivers told. Goes on while the engine is away.
//
// Threads: allocate() and release() by any; the rest as said.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "compute/allocation_plan.h"
#include "compute/allocator.h"
#include "host/engine_host.h"

namespace showcaller {

class AllocationDesk {
 public:
  AllocationDesk(EngineHost* host, SaltOf salt_of, std::map<std::string, FleetDriver*> drivers,
                 AllocatorLimits limits = {});

  Result<Allocation> allocate(const AllocationRequest& request);
  bool release(const std::string& session);

  // On the reconciler's thread.
  void observe(const std::string& fleet, std::span<const ObservedInstance> instances);
  void expire();
  std::vector<StageTotals> take_totals();
  std::vector<ExposureRow> take_exposures();

 private:
  // On the engine's thread, before the batch is acknowledged: intake that closed is closed here first.
  void follow_batch(const World& world, std::span<const Record> records);
  void publish(const World& world);

  EngineHost* host_;
  SaltOf salt_of_;
  std::map<std::string, FleetDriver*> drivers_;
  std::mutex mutex_;
  Allocator allocator_;
  std::shared_ptr<const AllocationPlan> plan_;
  std::map<std::string, FleetDriver*> driver_of_fleet_;
};

}  // namespace showcaller
