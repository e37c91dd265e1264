// SPDX-License-Identifier: Apache-2.0
// An allocator over a fleet whose instances a test writes down, and one event that rolls out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compute/allocator.h"
#include "tests/compute/fixture.h"

namespace showcaller {

struct AllocatorFixture : FleetFixture {
  Allocator allocator;
  std::map<std::string, int> serial;

  AllocatorFixture() {
    fleet.capacity.instances_max = 100'000;
    apply_fleet();
  }
  void publish() {
    ++world.seq;
    allocator.publish(std::make_shared<const AllocationPlan>(
        make_allocation_plan(world, [](const std::string& event) { return "salt of " + event; })));
  }
  void look() { allocator.observe("raid", observe(), now); }
  ObservedInstance& add(const std::string& build, const std::string& region = "eu",
                        const std::string& host = "h1") {
    const std::string id =
        "i" + build.substr(0, 1) + "-" + region + "-" + std::to_string(++serial[build + region]);
    ObservedInstance& seen = shown[id];
    seen.id = id;
    seen.fleet = "raid";
    seen.build = build;
    seen.region = region;
    seen.host = host;
    seen.state = InstanceState::Ready;
    seen.was_ready = true;
    seen.address = "127.0.0.1";
    seen.ports = {7000};
    world.instances["raid/" + id] = {"raid", id,  build, region, host, InstancePhase::Ready,
                                     true,   now, {}};
    return seen;
  }
  void add(const std::string& build, int many) {
    for (int i = 0; i < many; ++i) add(build);
  }
  static AllocationRequest ask(const std::string& session,
                               std::vector<std::string> players = {"ann"}) {
    AllocationRequest request;
    request.session = session;
    request.fleet = "raid";
    request.region = "eu";
    for (std::string& player : players) request.players.push_back({std::move(player), {}});
    return request;
  }
  EventState& roll_out(std::int64_t exposure_ppm, Unit unit = Unit::Player) {
    auto spec = event_spec();
    spec.unit = unit;
    EventState& event = put_event("winter", spec, Phase::RollingOut, 0);
    event.exposure_ppm = exposure_ppm;
    return event;
  }
  // What the driver does about an allocation.
  void serve(const Allocation& allocation) {
    ObservedInstance& seen = shown.at(allocation.instance);
    const AllocateInstance call = to_driver(allocation, allocator.neighbours(allocation));
    seen.state = InstanceState::Allocated;
    seen.session = call.session;
    for (const auto& [key, value] : call.annotations) seen.annotations[key] = value;
  }
};

}  // namespace showcaller
