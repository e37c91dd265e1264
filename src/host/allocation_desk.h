// SPDX-License-Identifier: Apache-2.0
// Where sessions are given their instances: the allocator behind a lock, kept on the last published
// plan, with the drivers told. Goes on while the engine is away.
//
// Threads: allocate() and release() by any; the rest as said.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
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
  // Marks those that are unclaimed.
  void observe(const std::string& fleet, std::span<ObservedInstance> instances);
  void expire();
  std::vector<StageTotals> take_totals();
  std::vector<ExposureRow> take_exposures();
  // Units that the stage ("winter-raid/r1/v3") drew for each arm since the last call, each counted
  // once however often it plays: the sample ratio speaks of draws, and one that comes back is no
  // new one. A unit that then found no place, or only one on the other arm, was drawn all the same.
  UnitCounts take_units(const std::string& stage);

 private:
  struct StageUnits {
    std::set<std::uint64_t> seen;  // hashes
    UnitCounts fresh;
  };
  // On the engine's thread, before the batch is acknowledged: intake that closed is closed here
  // first.
  void follow_batch(const World& world, std::span<const Record> records);
  void publish(const World& world);
  void count_units(const AllocationRequest& request, const std::vector<ArmAssignment>& drawn);

  EngineHost* host_;
  SaltOf salt_of_;
  std::map<std::string, FleetDriver*> drivers_;
  std::mutex mutex_;
  Allocator allocator_;
  std::shared_ptr<const AllocationPlan> plan_;
  std::map<std::string, FleetDriver*> driver_of_fleet_;
  std::map<std::string, StageUnits> units_;  // by stage; the newest visit of each event
};

}  // namespace showcaller
