// SPDX-License-Identifier: Apache-2.0
#include "host/service_watch.h"

#include <cmath>
#include <set>

#include "policy/degradation.h"

namespace showcaller {
namespace {

constexpr double kBurnMost = 1e9;

std::int64_t thousandths_of(double value) {
  return std::llround(std::min(value, kBurnMost) * 1'000);
}

}  // namespace

void ServiceWatch::pass() {
  constexpr std::string_view kPrefix = "Service/";
  const auto world = host_->published();
  std::set<std::string> names;
  world->manifests.each_from(kPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kPrefix)) return false;
    const std::string& name = stored.manifest->name;
    if (may_degrade(stored.manifest->as<ServiceSpec>(), world->services.find(name)))
      names.insert(name);
    return true;
  });
  world->services.each([&](const std::string& name, const ServiceState& state) {
    if (!state.withdrawn.empty()) names.insert(name);
  });
  for (const std::string& name : names) look(*world, name);
}

void ServiceWatch::look(const World& world, const std::string& name) {
  const ServiceSpec* spec = world.service(name);
  ServiceObserved observed{name, spec ? measured(name, *spec) : std::vector<StressSign>()};
  // A full mailbox: the next pass says it again.
  if (degradation_move(world, name, observed.signs, host_->now()))
    (void)host_->submit(std::move(observed));
}

std::vector<StressSign> ServiceWatch::measured(const std::string& name,
                                               const ServiceSpec& spec) const {
  const DegradationSpec& how = spec.degradation;
  std::vector<StressSign> out;
  if (how.burn_max > 0 && signs_.burn_of) {
    for (const auto& [objective, burn] : signs_.burn_of(name))
      out.push_back(
          {StressKind::Burn, objective, thousandths_of(burn), thousandths_of(how.burn_max)});
  }
  if (how.headroom_min_ppm > 0 && signs_.headroom_of) {
    for (const std::string& fleet : how.fleets) {
      if (const auto headroom = signs_.headroom_of(fleet))
        out.push_back(
            {StressKind::Headroom, fleet, *headroom / 1'000, how.headroom_min_ppm / 1'000});
    }
  }
  for (const std::string& needed : spec.depends_on) {
    if (signs_.fails_probe && signs_.fails_probe(needed))
      out.push_back({StressKind::Dependency, needed, 1'000, 1'000});
  }
  return out;
}

}  // namespace showcaller
