// SPDX-License-Identifier: Apache-2.0
#include "host/allocation_desk.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "compute/assignment.h"

namespace showcaller {
namespace {

constexpr std::size_t kUnitsMax =
    1'000'000;  // a stage; past it the sample ratio is known well enough

std::string unit_of(Unit unit, const AllocationRequest& request) {
  switch (unit) {
    case Unit::Player:
      return request.players.empty() ? party_of(request) : request.players.front().id;
    case Unit::Party:
      return party_of(request);
    case Unit::Guild:
      return request.guild;
    case Unit::Match:
      return request.session;
  }
  return party_of(request);
}

}  // namespace

AllocationDesk::AllocationDesk(EngineHost* host, SaltOf salt_of,
                               std::map<std::string, FleetDriver*> drivers, AllocatorLimits limits)
    : host_(host), salt_of_(std::move(salt_of)), drivers_(std::move(drivers)), allocator_(limits) {
  host_->listen(
      [this](const World& world, const RecordBatch& records) { follow_batch(world, *records); });
  publish(*host_->published());
}

void AllocationDesk::follow_batch(const World& world, std::span<const Record> records) {
  const bool concerned = std::any_of(records.begin(), records.end(), [](const Record& record) {
    return concerns_allocation(record.payload);
  });
  if (concerned) publish(world);
}

void AllocationDesk::publish(const World& world) {
  auto plan =
      std::make_shared<const AllocationPlan>(make_allocation_plan(world, salt_of_, plan_.get()));
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
  NeighbourSessions neighbours;
  auto allocation = [&]() -> Result<Allocation> {
    std::lock_guard lock(mutex_);
    std::vector<ArmAssignment> drawn;
    auto answer = allocator_.allocate(request, now, &drawn);
    count_units(request, drawn);
    TRY(Allocation made, std::move(answer));
    // Told again with each repetition: whoever repeats may do so because the first was lost.
    neighbours = allocator_.neighbours(made);
    const auto at = driver_of_fleet_.find(made.fleet);
    if (at != driver_of_fleet_.end()) driver = at->second;
    return made;
  }();
  if (allocation && driver) {
    AllocateInstance told = to_driver(*allocation, neighbours);
    if (!request.traceparent.empty())
      told.annotations.emplace(kTraceparentAnnotation, request.traceparent);
    if (!request.tracestate.empty())
      told.annotations.emplace(kTracestateAnnotation, request.tracestate);
    driver->allocate(told);
  }
  return allocation;
}

void AllocationDesk::count_units(const AllocationRequest& request,
                                 const std::vector<ArmAssignment>& drawn) {
  const auto fleet = plan_->fleets.find(request.fleet);
  if (fleet == plan_->fleets.end()) return;
  for (const ArmAssignment& arm : drawn) {
    if (!arm.counted) continue;
    const auto layer = std::find_if(fleet->second.layers.begin(), fleet->second.layers.end(),
                                    [&](const CanaryLayer& l) { return l.event == arm.event; });
    if (layer == fleet->second.layers.end()) continue;
    StageUnits& units = units_[fmt::format("{}/r{}/v{}", arm.event, arm.revision, arm.visit)];
    if (units.seen.size() >= kUnitsMax ||
        !units.seen.insert(hash64(unit_of(layer->unit, request))).second)
      continue;
    ++(arm.arm == Arm::Canary ? units.fresh.canary : units.fresh.baseline);
  }
}

UnitCounts AllocationDesk::take_units(const std::string& stage) {
  std::lock_guard lock(mutex_);
  // Other visits of the same event are over.
  const std::string event = stage.substr(0, stage.find('/') + 1);
  std::erase_if(units_, [&](const auto& units) {
    return units.first != stage && units.first.starts_with(event);
  });
  const auto at = units_.find(stage);
  return at == units_.end() ? UnitCounts{} : std::exchange(at->second.fresh, {});
}

bool AllocationDesk::release(const std::string& session) {
  std::lock_guard lock(mutex_);
  return allocator_.release(session, host_->now());
}

void AllocationDesk::observe(const std::string& fleet, std::span<ObservedInstance> instances) {
  std::lock_guard lock(mutex_);
  allocator_.observe(fleet, instances, host_->now());
  const std::vector<std::string> unclaimed = allocator_.unclaimed(fleet);
  for (ObservedInstance& instance : instances)
    instance.unclaimed = std::binary_search(unclaimed.begin(), unclaimed.end(), instance.id);
}

void AllocationDesk::expire() {
  std::lock_guard lock(mutex_);
  allocator_.expire(host_->now());
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
