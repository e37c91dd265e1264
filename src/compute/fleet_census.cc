// SPDX-License-Identifier: Apache-2.0
#include "compute/fleet_census.h"

#include <algorithm>

#include "base/fields.h"
#include "compute/allocation.h"
#include "compute/fleet_view.h"

namespace showcaller {

bool FleetQuarantines::isolates(const std::string& id, const std::string& build,
                                const std::string& region, const std::string& host) const {
  return empties(id, region, host) || has_build(build, host);
}

bool FleetQuarantines::has_build(const std::string& build, const std::string& host) const {
  return !builds.empty() && (builds.contains(build) || builds.contains(build + "@" + host));
}

bool FleetQuarantines::empties(const std::string& id, const std::string& region,
                               const std::string& host) const {
  return instances.contains(id) || hosts.contains(host) || regions.contains(region);
}

bool FleetQuarantines::forbids_start(const std::string& build, const std::string& region,
                                     const std::string& host) const {
  return has_build(build, host) || hosts.contains(host) || regions.contains(region);
}

std::vector<QuarantineEntry> quarantines_of(const World& world, std::string_view fleet) {
  std::vector<QuarantineEntry> out;
  const std::string prefix = std::string(fleet) + "/";
  world.quarantines.each_from(prefix, [&](const std::string& key, const Quarantine& quarantine) {
    if (!key.starts_with(prefix)) return false;
    const std::string_view rest = std::string_view(key).substr(prefix.size());
    const std::size_t slash = rest.find('/');
    const auto scope = enum_from<QuarantineScope>(rest.substr(0, slash));
    if (scope && slash != std::string_view::npos) {
      out.push_back({*scope, std::string(rest.substr(slash + 1)), quarantine});
    }
    return true;
  });
  return out;
}

FleetQuarantines quarantines_in_force(const World& world, std::string_view fleet, Instant now) {
  FleetQuarantines out;
  for (QuarantineEntry& entry : quarantines_of(world, fleet)) {
    if (is_expired(entry.quarantine, now)) continue;
    switch (entry.scope) {
      case QuarantineScope::Instance:
        out.instances.insert(std::move(entry.subject));
        break;
      case QuarantineScope::Build:
        out.builds.insert(std::move(entry.subject));
        break;
      case QuarantineScope::Host:
        out.hosts.insert(std::move(entry.subject));
        break;
      case QuarantineScope::Region:
        out.regions.insert(std::move(entry.subject));
        break;
    }
  }
  return out;
}

std::int64_t sessions_on(const ObservedInstance& instance) {
  const bool may_have = instance.state == InstanceState::Allocated ||
                        instance.state == InstanceState::Unhealthy ||
                        instance.state == InstanceState::Shutdown;
  if (!may_have) return 0;
  if (instance.sessions_counted) return *instance.sessions_counted;
  const auto several = instance.annotations.find(kSessionsAnnotation);
  if (several != instance.annotations.end() && !several->second.empty()) {
    return 1 + std::count(several->second.begin(), several->second.end(), ',');
  }
  if (instance.session) return 1;
  return instance.state == InstanceState::Allocated || instance.players > 0 ? 1 : 0;
}

namespace {

// The fleet's own, by id. A driver that shows an instance twice is believed once.
std::vector<const ObservedInstance*> seen_of(const std::string& fleet,
                                             std::span<const ObservedInstance> observed) {
  std::vector<const ObservedInstance*> seen;
  seen.reserve(observed.size());
  bool in_order = true;
  for (const ObservedInstance& instance : observed) {
    if (instance.fleet != fleet) continue;
    in_order = in_order && (seen.empty() || seen.back()->id < instance.id);
    seen.push_back(&instance);
  }
  if (in_order) return seen;
  std::stable_sort(seen.begin(), seen.end(),
                   [](const auto* a, const auto* b) { return a->id < b->id; });
  seen.erase(std::unique(seen.begin(), seen.end(),
                         [](const auto* a, const auto* b) { return a->id == b->id; }),
             seen.end());
  return seen;
}

}  // namespace

FleetCensus take_census(const World& world, const std::string& fleet,
                        std::span<const ObservedInstance> observed, Instant now) {
  FleetCensus census;
  census.quarantines = quarantines_in_force(world, fleet, now);
  const std::vector<const ObservedInstance*> seen = seen_of(fleet, observed);
  census.entries.reserve(seen.size());
  auto next = seen.begin();
  const std::string prefix = fleet + "/";
  const bool some_quarantined = !census.quarantines.empty();
  world.instances.each_from(prefix, [&](const std::string& key, const Instance& instance) {
    if (!key.starts_with(prefix)) return false;
    CensusEntry entry{&instance, nullptr, instance.phase, instance.since, 0, false, false};
    bool is_next = false;  // Mostly it is: only else it matters who comes first.
    for (; next != seen.end(); census.strangers.push_back(*next++)) {
      is_next = (*next)->id == instance.id;
      if (is_next || (*next)->id > instance.id) break;
    }
    if (is_next) entry.seen = *next++;
    if (entry.alive()) entry.sessions = sessions_on(*entry.seen);
    if (some_quarantined) {
      entry.isolated =
          census.quarantines.isolates(instance.id, instance.build, instance.region, instance.host);
      entry.must_empty = census.quarantines.empties(instance.id, instance.region, instance.host);
    }
    census.entries.push_back(entry);
    return true;
  });
  census.strangers.insert(census.strangers.end(), next, seen.end());
  return census;
}

}  // namespace showcaller
