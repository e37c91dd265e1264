// SPDX-License-Identifier: Apache-2.0
// Allocation at 10,000 instances, with a rollout at 10 % by party: throughput against the least
// that any allocator does (look a session up, take a free instance, remember it), and how long
// single calls take. And one planning pass over 1,000 LiveEvents and 100,000 instances.
#include <unordered_map>

#include "bench/figure.h"
#include "compute/allocator.h"
#include "compute/fleet_planner.h"

namespace showcaller {
namespace {

const Instant kNow = instant_ms(1'800'000'000'000);

World world_of(int fleets, int instances_each, int events) {
  World world;
  for (int f = 0; f < fleets; ++f) {
    const std::string name = "fleet-" + std::to_string(f);
    FleetSpec spec;
    spec.base = "1.0";
    spec.builds = {{"1.0", {"./server"}, {}, {}, {}, 1}, {"2.0", {"./server"}, {}, {}, {}, 1}};
    spec.regions = {{"eu", "UTC", {"h1", "h2"}}};
    spec.capacity.instances_max = 1'000'000;
    auto manifest = std::make_shared<Manifest>();
    manifest->name = name;
    manifest->spec = std::move(spec);
    world.manifests["Fleet/" + name] = {std::move(manifest), 1};
    for (int i = 0; i < instances_each; ++i) {
      const std::string id = name + "-" + std::to_string(i);
      world.instances[instance_key(name, id)] = {
          name, id, i % 4 ? "1.0" : "2.0", "eu", i % 2 ? "h1" : "h2", InstancePhase::Ready, true,
          kNow, {}};
    }
  }
  for (int e = 0; e < events; ++e) {
    LiveEventSpec spec;
    spec.unit = Unit::Party;
    spec.changes = {{BuildChange{"fleet-" + std::to_string(e % fleets), "2.0", {}}, false}};
    spec.stages.resize(1);
    spec.stages[0].name = "canary";
    auto manifest = std::make_shared<Manifest>();
    manifest->spec = std::move(spec);
    EventState& event = world.events["event-" + std::to_string(e)];
    event.manifest = std::move(manifest);
    event.revision = event.visit = 1;
    event.phase = e < fleets ? Phase::RollingOut : Phase::Approved;
    event.intake = e < fleets ? IntakeState::Open : IntakeState::Closed;
    event.stage = e < fleets ? 0 : -1;
    event.exposure_ppm = 100'000;
    event.phase_since = event.stage_since = kNow;
  }
  return world;
}

std::vector<ObservedInstance> shown(const World& world, const std::string& fleet) {
  std::vector<ObservedInstance> out;
  world.instances.each_from(fleet + "/", [&](const std::string&, const Instance& instance) {
    if (instance.fleet != fleet) return false;
    ObservedInstance seen;
    seen.id = instance.id;
    seen.fleet = instance.fleet;
    seen.build = instance.build;
    seen.region = instance.region;
    seen.host = instance.host;
    seen.state = InstanceState::Ready;
    seen.address = "10.0.0.1";
    seen.ports = {7000};
    out.push_back(std::move(seen));
    return true;
  });
  return out;
}

AllocationRequest request_of(std::uint64_t serial) {
  AllocationRequest request;
  request.session = "session-" + std::to_string(serial);
  request.fleet = "fleet-0";
  request.party = "party-" + std::to_string(serial % 50'000);
  request.region = "eu";
  request.players.resize(4);
  for (std::size_t i = 0; i < 4; ++i) {
    request.players[i].id = "player-" + std::to_string((serial * 4 + i) % 200'000);
    request.players[i].context = {{"account", json::object{{"group", "player"}}}};
  }
  return request;
}

struct Running {
  Allocator allocator;
  World world = world_of(1, 10'000, 1);
  std::vector<ObservedInstance> observed = shown(world, "fleet-0");
  std::uint64_t serial = 0;
  Instant now = kNow;

  Running() {
    allocator.publish(std::make_shared<const AllocationPlan>(make_allocation_plan(
        world, [](const std::string&) { return "a secret of thirty-two bytes...."; })));
    allocator.observe("fleet-0", observed, now);
  }
  // So many allocations, each of a session that ends 1,000 later.
  std::uint64_t run(std::uint64_t count, std::vector<double>* each_s) {
    std::uint64_t given = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const AllocationRequest request = request_of(++serial);
      const double start = each_s ? bench::now_s(CLOCK_MONOTONIC) : 0;
      given += allocator.allocate(request, now).has_value();
      if (each_s) each_s->push_back(bench::now_s(CLOCK_MONOTONIC) - start);
      if (serial > 1000) (void)allocator.release("session-" + std::to_string(serial - 1000), now);
      if (i % 4096 == 0) (void)allocator.take_exposures(1'000'000);
    }
    now += seconds(10);
    (void)allocator.expire(now);
    return given;
  }
};

// A table of sessions and a stack of free instances, and nothing else.
struct Bare {
  std::unordered_map<std::string, std::string> sessions;
  std::vector<std::string> free;
  std::uint64_t serial = 0;
  Bare() {
    for (int i = 0; i < 10'000; ++i) free.push_back("fleet-0-" + std::to_string(i));
  }
  std::uint64_t run(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const AllocationRequest request = request_of(++serial);
      if (sessions.contains(request.session) || free.empty()) continue;
      sessions.emplace(request.session, std::move(free.back()));
      free.pop_back();
      if (serial <= 1000) continue;
      const auto ended = sessions.find("session-" + std::to_string(serial - 1000));
      free.push_back(std::move(ended->second));
      sessions.erase(ended);
    }
    return count;
  }
};

std::vector<bench::Figure> figures() {
  std::vector<bench::Figure> out;
  Running ours;
  Bare bare;
  out.push_back(bench::compare(
      "allocation_10k_instances", "op/s", [&] { return ours.run(20'000, nullptr); },
      [&] { return bare.run(20'000); }, "hash table and stack"));
  std::vector<double> each;
  ours.run(100'000, &each);
  out.push_back({"allocation_p50", "us", bench::quantile(each, 0.5) * 1e6, 0, "", 0, 0});
  out.push_back({"allocation_p99", "us", bench::quantile(each, 0.99) * 1e6, 0, "", 0, 0});
  out.push_back(bench::compare(
      "allocator_observe_10k", "us/op",
      [&] {
        for (int i = 0; i < 5; ++i) ours.allocator.observe("fleet-0", ours.observed, ours.now);
        return 5;
      },
      [&] {
        for (int i = 0; i < 5; ++i) std::vector<ObservedInstance>(ours.observed);
        return 5;
      },
      "copying what was observed"));

  const World world = world_of(10, 10'000, 1000);
  std::vector<std::vector<ObservedInstance>> seen;
  for (int f = 0; f < 10; ++f) seen.push_back(shown(world, "fleet-" + std::to_string(f)));
  out.push_back(bench::compare(
      "reconcile_pass_1k_events_100k_instances", "ms/op",
      [&] {
        std::size_t said = 0;
        for (int f = 0; f < 10; ++f) {
          const std::string name = "fleet-" + std::to_string(f);
          said += plan_fleet(world, name, seen[std::size_t(f)], kNow).size();
          said += wanted_actions(world, name, seen[std::size_t(f)], kNow).size();
        }
        return said > 0 ? 1 : 0;
      },
      [&] {
        std::size_t ready = 0;
        world.instances.each([&](const std::string&, const Instance& i) {
          ready += i.phase == InstancePhase::Ready;
        });
        return ready > 0 ? 1 : 0;
      },
      "walking the instances once", 5));
  out.push_back(bench::compare(
      "allocation_plan_1k_events_100k_instances", "ms/op",
      [&] {
        return make_allocation_plan(world, [](const std::string&) { return "salt"; })
                   .fleets.size() /
               10;
      },
      [&] {
        std::size_t ready = 0;
        world.instances.each([&](const std::string&, const Instance& i) {
          ready += i.phase == InstancePhase::Ready;
        });
        return ready > 0 ? 1 : 0;
      },
      "walking the instances once", 5));
  return out;
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  showcaller::bench::print_figures(argc, argv, showcaller::figures());
  return 0;
}
