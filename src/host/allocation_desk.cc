// SPDX-License-Identifier: Apache-2.0
#include "host/allocation_desk.h"

#include <algorithm>

namespace showcaller {

AllocationDesk::AllocationDesk(EngineHost* host, SaltOf salt_of, std::map<std::string, FleetDriver*> drivers,
                               AllocatorLimits limits)
    : host_(host), salt_of_(std::move(salt_of)), drivers_(std::move(drivers)), allocator_(limits) {
  host_->listen([this](const World& world, std::span<const Record> records) { follow_batch(world, records); });
  publish(*host_->published());
}

void AllocationDesk::follow_batch(const World& world, std::span<const Record> records) {
  const bool concerned = std::any_of(records.begin(), records.end(),
                                     [](const Record& record) { return concerns_allocation(record.payload); });
  if (concerned) publish(world);
}

void AllocationDesk::publish(const World& world) {
  auto plan = std::make_shared<const AllocationPlan>(make_allocation_plan(world, salt_of_, plan_.get()));
  std::map<std::string, FleetDriver*> driver_of_fleet;
  for (const auto& [fleet, planned] : plan->fleets) {
    const FleetSpec* spec = world.fleet(fleet);
    const auto driver = spec ? drivers_.find(spec->driver) : drivers_.end();
    if (driver != drivers_.end()) driver_of_fleet[fleet] = driver->second;
  }
  std::lock_guard lock(mutex_);
  plan_ = plan;
  driver_of_fleet_ = std::move(driver_of_fleet);
  allocator_.publish(std::move(plan));
}

Result<Allocation> AllocationDesk::allocate(const AllocationRequest& request) {
  const Instant now = host_->now();
  FleetDriver* driver = nullptr;
  std::vector<std::string> beside;
  auto allocation = [&]() -> Result<Allocation> {
    std::lock_guard lock(mutex_);
    TRY(Allocation made, allocator_.allocate(request, now));
    if (!made.repeated) {
      beside = allocator_.sessions_beside(made);
      const auto at = driver_of_fleet_.find(made.fleet);
      if (at != driver_of_fleet_.end()) driver = at->second;
    }
    return made;
  }();
  if (allocation && driver) driver->allocate(to_driver(*allocation, beside));
  return allocation;
}

bool AllocationDesk::release(const std::string& session) {
  std::lock_guard lock(mutex_);
  return allocator_.release(session, host_->now());
}

void AllocationDesk::observe(const std::string& fleet, std::span<const ObservedInstance> instances) {
  std::lock_guard lock(mutex_);
  allocator_.observe(fleet, instances, host_->now());
}

// A match that nobody joined holds its instance: only stopping it frees the place. The planner replaces it.
void AllocationDesk::expire() {
  std::map<FleetDriver*, std::vector<FleetAction>> stops;
  {
    std::lock_guard lock(mutex_);
    for (const ExpiredAllocation& expired : allocator_.expire(host_->now())) {
      const auto driver = driver_of_fleet_.find(expired.fleet);
      if (driver == driver_of_fleet_.end()) continue;
      stops[driver->second].push_back(StopInstance{expired.instance, seconds(1), "nobody claimed session " + expired.session});
    }
  }
  for (const auto& [driver, actions] : stops) (void)driver->apply(host_->epoch(), actions);
}

std::vector<StageTotals> AllocationDesk::take_totals() {
  std::lock_guard lock(mutex_);
  return allocator_.take_totals();
}

std::vector<ExposureRow> AllocationDesk::take_exposures() {
  std::lock_guard lock(mutex_);
  return allocator_.take_exposures();
}

}  // namespace showcaller
