// SPDX-License-Identifier: Apache-2.0
// A world to plan in, kept by evolve() alone, and a driver of its own will: instances start, serve,
// crash, are forgotten or lied about as a test says.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compute/fleet_planner.h"
#include "compute/fleet_view.h"
#include "model/exposure.h"

namespace showcaller {

struct FleetFixture {
  World world;
  Instant now = instant_ms(1'800'000'000'000);
  FleetSpec fleet;
  std::shared_ptr<const DemandOutlook> outlook;   // of every fleet
  std::map<std::string, ObservedInstance> shown;  // what the driver shows
  std::set<std::string> hidden;                   // alive, but not shown
  std::map<std::string, std::string>
      broken;                      // "build", "host" or "build@host" that exits at once → why
  std::set<std::string> fleeting;  // builds that end by themselves right after they were ready
  int starts = 0, stops = 0, moves = 0;

  FleetFixture() {
    fleet.base = "1.0";
    fleet.builds = {{"1.0", {"./server"}, {}, {}, {}, 1},
                    {"2.0", {"./server"}, {}, {}, {}, 1},
                    {"3.0", {"./server"}, {}, {}, {}, 1}};
    fleet.regions = {{"eu", "UTC", {"h1", "h2"}}};
    fleet.capacity.instances_min = 4;
    fleet.capacity.instances_max = 100;
    fleet.capacity.canary_instances_min = 2;
  }

  void record(Payload payload) {
    const Status status = evolve(&world, {.seq = world.seq + 1,
                                          .time = now,
                                          .epoch = 1,
                                          .actor = "engine",
                                          .payload = std::move(payload)});
    ASSERT_TRUE(status) << status.error().message;
  }
  // Manifests go in directly: their parsing is another folder's business.
  void apply_fleet(const std::string& name = "raid") {
    auto manifest = std::make_shared<Manifest>();
    manifest->name = name;
    manifest->spec = fleet;
    world.manifests["Fleet/" + name] = {std::move(manifest), 1};
  }
  static LiveEventSpec event_spec(const std::string& build = "2.0",
                                  const std::string& fleet_name = "raid") {
    LiveEventSpec spec;
    spec.changes = {{BuildChange{fleet_name, build, {}}, false}};
    StageSpec canary, early, all;
    canary.name = "canary";
    canary.exposure_ppm = 50'000;
    canary.bake_min = early.bake_min = all.bake_min = hours(2);
    early.name = "early";
    early.exposure_ppm = 250'000;
    all.name = "all";
    spec.stages = {canary, early, all};
    return spec;
  }
  EventState& put_event(const std::string& name, LiveEventSpec spec,
                        Phase phase = Phase::RollingOut, int stage = 0) {
    auto manifest = std::make_shared<Manifest>();
    manifest->name = name;
    EventState& event = world.events[name];
    event.revision = 1;
    event.visit = 1;
    event.phase = phase;
    event.phase_since = event.stage_since = now;
    event.stage = stage;
    event.exposure_ppm = stage >= 0 ? spec.stages[std::size_t(stage)].exposure_ppm : 0;
    event.intake = may_admit(phase) ? IntakeState::Open : IntakeState::Closed;
    manifest->spec = std::move(spec);
    event.manifest = std::move(manifest);
    return event;
  }
  EventState& event(const std::string& name) { return world.events[name]; }

  std::vector<ObservedInstance> observe() const {
    std::vector<ObservedInstance> out;
    for (const auto& [id, instance] : shown) {
      if (!hidden.contains(id)) out.push_back(instance);
    }
    return out;
  }

  // One pass of the reconciler: act on the durable world, then plan. Instances become ready at the
  // next pass.
  std::vector<Payload> pass(Duration step = seconds(1), const std::string& name = "raid") {
    now += step;
    for (auto& [id, instance] : shown) {
      if (instance.state == InstanceState::Ready && fleeting.contains(instance.build)) {
        instance.state = InstanceState::Exited;
        instance.exit = InstanceExit{.code = 1};
      }
      if (instance.state == InstanceState::Starting) settle_start(&instance);
    }
    auto observed = observe();
    for (const FleetAction& action : wanted_actions(world, name, observed, now)) act(action);
    observed = observe();
    auto payloads = plan_fleet(world, name, observed, now, outlook.get());
    for (const Payload& payload : payloads) {
      moves += !std::holds_alternative<StartsDelayed>(payload);
      record(payload);
    }
    return payloads;
  }
  void passes(int count, Duration step = seconds(1)) {
    for (int i = 0; i < count; ++i) pass(step);
  }

  void settle_start(ObservedInstance* instance) {
    const bool fails = broken.contains(instance->build) || broken.contains(instance->host) ||
                       broken.contains(instance->build + "@" + instance->host);
    instance->state = fails ? InstanceState::Exited : InstanceState::Ready;
    if (fails)
      instance->exit = InstanceExit{.code = 1, .signal = 0, .wanted = false};
    else
      instance->was_ready = true;
  }
  void act(const FleetAction& action) {
    if (const auto* start = std::get_if<StartInstance>(&action)) {
      const InstanceSpec& spec = start->spec;
      if (shown.contains(spec.id)) return;
      ++starts;
      ObservedInstance& instance = shown[spec.id];
      instance.id = spec.id;
      instance.fleet = spec.fleet;
      instance.build = spec.build;
      instance.region = spec.region;
      instance.host = spec.host;
      instance.started_at = now;
    } else if (const auto* stop = std::get_if<StopInstance>(&action)) {
      ++stops;
      const auto at = shown.find(stop->id);
      if (at == shown.end()) return;
      at->second.state = InstanceState::Exited;
      at->second.exit = InstanceExit{.code = 0, .signal = 0, .wanted = true};
    } else {
      shown.erase(std::get<ForgetInstance>(action).id);
    }
  }

  int count(const std::string& build, InstancePhase phase) const {
    int out = 0;
    world.instances.each([&](const std::string&, const Instance& i) {
      out += i.build == build && i.phase == phase;
    });
    return out;
  }
  int count(const std::string& build) const {
    int out = 0;
    world.instances.each([&](const std::string&, const Instance& i) { out += i.build == build; });
    return out;
  }
  // Gives a session to `many` idle ready instances of the build.
  void play(const std::string& build, int many) {
    for (auto& [id, instance] : shown) {
      if (many == 0) return;
      if (instance.build != build || instance.state != InstanceState::Ready) continue;
      instance.state = InstanceState::Allocated;
      instance.session = "s-" + id;
      --many;
    }
    EXPECT_EQ(many, 0) << "not enough instances of " << build;
  }
  void end_sessions(const std::string& build, int many = 1'000'000) {
    for (auto& [id, instance] : shown) {
      if (many == 0) return;
      if (instance.build != build || instance.state != InstanceState::Allocated) continue;
      instance.state = InstanceState::Ready;
      instance.session.reset();
      ++instance.sessions_ended;
      --many;
    }
  }
  const Quarantine* quarantine(QuarantineScope scope, const std::string& subject) const {
    return world.quarantines.find(quarantine_key(scope, "raid", subject));
  }
};

// Those of one kind.
template <class T>
std::vector<T> all_of(const std::vector<Payload>& payloads) {
  std::vector<T> out;
  for (const Payload& payload : payloads) {
    if (const T* found = std::get_if<T>(&payload)) out.push_back(*found);
  }
  return out;
}

}  // namespace showcaller
