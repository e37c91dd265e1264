// SPDX-License-Identifier: Apache-2.0
#include "compute/fleet_demand.h"

#include <algorithm>

#include "model/exposure.h"

namespace showcaller {
namespace {

std::int64_t share_of(std::int64_t count, std::int64_t ppm) {
  return (count * ppm + kPpmWhole - 1) / kPpmWhole;
}

bool is_after(const BuildLayer& a, const BuildLayer& b) {
  const auto& after = a.event->spec().after;
  return std::find(after.begin(), after.end(), b.name) != after.end();
}

bool is_higher(const BuildLayer& a, const BuildLayer& b) {
  const int pa = a.event->spec().priority, pb = b.event->spec().priority;
  if (pa != pb) return pa > pb;
  if (is_after(a, b) != is_after(b, a)) return is_after(a, b);
  return a.name < b.name;
}

// How many of a build are kept at least, and what share of new sessions comes to it, in one region.
struct Claim {
  std::string build;
  std::int64_t floor = 0;
  std::int64_t share_ppm = 0;  // of new sessions now
  std::int64_t ahead_ppm = 0;  // the larger of it and what a stage that is about to come brings
  std::int64_t reach_ppm = 0;  // the most it could be, audiences in full
};

bool admits(const EventState& event) {
  return may_admit(event.phase) && event.intake != IntakeState::Closed && !event.diverted &&
         event.stage >= 0;
}

// Instances need time to start: a stage that may come within this is provided for.
Duration lead_time(const FleetSpec& spec) {
  return 2 * spec.health.start_timeout;
}

int stage_ahead(const EventState& event, const FleetSpec& fleet, Instant now) {
  const auto& stages = event.spec().stages;
  if (event.phase == Phase::Ready) return 0;
  if (event.phase != Phase::RollingOut || event.stage < 0 || event.hold) return event.stage;
  if (std::size_t(event.stage) >= stages.size()) return event.stage;
  const StageSpec& stage = stages[std::size_t(event.stage)];
  const bool soon = now + lead_time(fleet) >= event.stage_since + stage.bake_min;
  return soon ? std::min<int>(event.stage + 1, int(stages.size()) - 1) : event.stage;
}

bool reaches(const EventState& event, std::string_view region) {
  return reach_ppm(event, int(event.spec().stages.size()) - 1, region) > 0;
}

bool speaks_all_of(const FleetSpec& fleet, const BuildChange& upper, const std::string& lower) {
  const BuildSpec* own = fleet.build(upper.version);
  const BuildSpec* other = fleet.build(lower);
  const std::vector<int>& spoken =
      upper.protocols.empty() && own ? own->protocols : upper.protocols;
  if (spoken.empty() || !other) return true;
  if (other->protocols.empty()) return false;
  return std::all_of(other->protocols.begin(), other->protocols.end(), [&](int protocol) {
    return std::find(spoken.begin(), spoken.end(), protocol) != spoken.end();
  });
}

// What the builds below a layer must keep ready, so that its players have a way back.
enum class KeepBelow { Nothing, Minimum, Everything };

KeepBelow kept_below(const BuildLayer& layer, const FleetSpec& fleet, const std::string& below,
                     Instant now) {
  const EventState& event = *layer.event;
  const auto& end = event.spec().schedule.end;
  if (!may_admit(event.phase)) return KeepBelow::Nothing;  // All new sessions are below anyhow.
  if (end && now + layer.clock_offset + lead_time(fleet) >= end->at) return KeepBelow::Everything;
  if (event.phase == Phase::RollingOut) return KeepBelow::Minimum;
  if (now - event.phase_since < event.spec().watch.keep_previous_build) return KeepBelow::Minimum;
  return speaks_all_of(fleet, *layer.change, below) ? KeepBelow::Nothing : KeepBelow::Minimum;
}

Claim claim_of(const BuildLayer& layer, const FleetSpec& fleet, const std::string& region,
               Instant now) {
  const EventState& event = *layer.event;
  Claim claim;
  claim.build = layer.change->version;
  const bool ahead =
      event.phase == Phase::Preparing || event.phase == Phase::Ready || may_admit(event.phase);
  if (ahead && reaches(event, region)) claim.floor = fleet.capacity.canary_instances_min;
  if (admits(event)) {
    claim.share_ppm = planned_share_ppm(event, event.stage, region);
    claim.reach_ppm = reach_ppm(event, event.stage, region);
  }
  claim.ahead_ppm = claim.share_ppm;
  if (admits(event) || event.phase == Phase::Ready) {
    claim.ahead_ppm =
        std::max(claim.ahead_ppm, planned_share_ppm(event, stage_ahead(event, fleet, now), region));
  }
  return claim;
}

// The claims of all builds in a region: a layer takes its share of what the layers above it leave.
std::vector<Claim> claims_in(const std::vector<BuildLayer>& layers, const FleetSpec& fleet,
                             const std::string& region, const std::vector<std::string>& quarantined,
                             Instant now) {
  std::vector<Claim> out;
  std::int64_t left = kPpmWhole;
  KeepBelow keep = KeepBelow::Nothing;
  const auto add = [&](Claim claim, bool is_base) {
    if (keep == KeepBelow::Minimum)
      claim.floor = std::max<std::int64_t>(claim.floor, fleet.capacity.instances_min);
    const bool out_of_order =
        std::find(quarantined.begin(), quarantined.end(), claim.build) != quarantined.end();
    if (out_of_order && !is_base)
      claim.share_ppm = claim.ahead_ppm = claim.reach_ppm = 0;  // Its sessions spill.
    const std::int64_t own = claim.share_ppm;
    claim.share_ppm = left * own / kPpmWhole;
    claim.ahead_ppm = std::max(claim.share_ppm, left * claim.ahead_ppm / kPpmWhole);
    if (keep == KeepBelow::Everything) claim.ahead_ppm = kPpmWhole;
    left -= claim.share_ppm;
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const Claim& c) { return c.build == claim.build; });
    if (same == out.end()) {
      out.push_back(std::move(claim));
      return;
    }
    same->floor = std::max(same->floor, claim.floor);
    same->share_ppm += claim.share_ppm;
    same->ahead_ppm = std::max(same->ahead_ppm, claim.ahead_ppm);
    same->reach_ppm = std::max(same->reach_ppm, claim.reach_ppm);
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    add(claim_of(layers[i], fleet, region, now), false);
    const std::string& below = i + 1 < layers.size() ? layers[i + 1].change->version : fleet.base;
    // A live layer is itself the way back of those above it.
    if (layers[i].event->phase == Phase::Live && admits(*layers[i].event))
      keep = KeepBelow::Nothing;
    keep = std::max(keep, kept_below(layers[i], fleet, below, now));
  }
  // The base takes what is left, all of it.
  add({fleet.base, 0, kPpmWhole, kPpmWhole, 0}, true);
  return out;
}

std::int64_t scheduled_min(const CapacitySpec& capacity, Duration ahead, Instant now) {
  std::int64_t most = capacity.instances_min;
  for (const auto& entry : capacity.schedule) {
    if (now + ahead >= entry.from && now < entry.to)
      most = std::max<std::int64_t>(most, entry.instances_min);
  }
  return most;
}

std::int64_t instances_for(const FleetSpec& spec, const std::string& version,
                           std::int64_t sessions) {
  const BuildSpec* build = spec.build(version);
  const std::int64_t each = build ? std::max(1, build->sessions_per_instance) : 1;
  return (sessions + each - 1) / each;
}

// The wishes in the order of their weight, cut where the region is full.
class RegionBudget {
 public:
  explicit RegionBudget(std::int64_t room) : room_(room) {}
  void ask(const std::string& build, std::int64_t count) {
    std::int64_t& granted = granted_[build];
    const std::int64_t more =
        std::clamp<std::int64_t>(count - granted, 0, std::max<std::int64_t>(0, room_));
    granted += more;
    room_ -= more;
  }
  std::int64_t of(const std::string& build) const { return granted_.at(build); }

 private:
  std::int64_t room_;
  std::map<std::string, std::int64_t> granted_;
};

}  // namespace

std::vector<BuildLayer> build_layers(const World& world, std::string_view fleet,
                                     const FleetSpec& spec) {
  std::vector<BuildLayer> out;
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!event.manifest || !layer_is_active(event.phase)) return;
    for (const Change& change : event.spec().changes) {
      const auto* build = std::get_if<BuildChange>(&change.what);
      if (build && build->fleet == fleet && spec.build(build->version))
        out.push_back({name, &event, build, world.clock_offset});
    }
  });
  // Few layers, and `after` need not be transitive: insertion keeps every declared pair that
  // priority leaves open.
  for (std::size_t i = 1; i < out.size(); ++i) {
    for (std::size_t j = i; j > 0 && is_higher(out[j], out[j - 1]); --j)
      std::swap(out[j], out[j - 1]);
  }
  return out;
}

std::vector<CutBuild> cut_builds(const World& world, std::string_view fleet) {
  std::vector<CutBuild> out;
  world.events.each([&](const std::string&, const EventState& event) {
    const bool undoing = event.phase == Phase::RollingBack || event.phase == Phase::RollbackStuck;
    if (!undoing || event.spec().rollback.then != DrainThen::End) return;
    for (const Change& change : event.spec().changes) {
      const auto* build = std::get_if<BuildChange>(&change.what);
      if (build && build->fleet == fleet) {
        out.push_back({build->version, event.phase_since + event.spec().rollback.drain});
      }
    }
  });
  return out;
}

std::map<BuildRegion, BuildDemand> fleet_demand(
    const FleetSpec& spec, const std::vector<BuildLayer>& layers,
    const std::map<BuildRegion, BuildUse>& use, const std::vector<std::string>& quarantined_builds,
    Instant now, const std::map<std::string, std::int64_t>& room_ahead) {
  std::map<BuildRegion, BuildDemand> out;
  const CapacitySpec& capacity = spec.capacity;
  for (const RegionSpec& region : spec.regions) {
    std::int64_t in_use = 0, draining = 0;
    for (const auto& [key, of_build] : use) {
      if (key.second != region.name) continue;
      in_use += of_build.instances;
      draining += of_build.draining;
    }
    const auto used = [&](const std::string& build) {
      const auto at = use.find({build, region.name});
      return at == use.end() ? 0 : at->second.instances;
    };
    const std::int64_t buffer =
        std::max<std::int64_t>(capacity.buffer, share_of(in_use, capacity.buffer_ppm));
    // A draining match is followed by a new session elsewhere.
    const std::int64_t total =
        std::max(in_use + draining + buffer, scheduled_min(capacity, lead_time(spec), now));

    const auto ahead = room_ahead.find(region.name);
    const std::int64_t room = ahead == room_ahead.end() ? 0 : ahead->second;
    // Of what runs and of what is forecast, the larger.
    const auto needed = [&](const Claim& claim, std::int64_t ppm) {
      return std::max(share_of(total, ppm), instances_for(spec, claim.build, share_of(room, ppm)));
    };

    const auto claims = claims_in(layers, spec, region.name, quarantined_builds, now);
    RegionBudget budget(std::max<std::int64_t>(0, capacity.instances_max - draining));
    for (const Claim& claim : claims) budget.ask(claim.build, used(claim.build));
    // One of each that expects players; but a fleet that is told to be empty, and has no event, is.
    const bool empties = total == 0 && room == 0 && layers.empty();
    for (const Claim& claim : claims) {
      const bool expects = claim.floor + claim.share_ppm > 0 && !empties;
      budget.ask(claim.build, expects ? 1 : 0);
    }
    for (const Claim& claim : claims) {
      std::int64_t now_needed = needed(claim, claim.share_ppm);
      if (claim.share_ppm > 0)
        now_needed = std::max(now_needed, used(claim.build) + share_of(buffer, claim.share_ppm));
      if (claim.reach_ppm > claim.share_ppm) {  // An audience: grow with its use.
        now_needed =
            std::max(now_needed, used(claim.build) +
                                     std::max<std::int64_t>(1, share_of(buffer, claim.reach_ppm)));
      }
      budget.ask(claim.build, now_needed);
    }
    for (const Claim& claim : claims) budget.ask(claim.build, claim.floor);
    for (const Claim& claim : claims) budget.ask(claim.build, needed(claim, claim.ahead_ppm));
    for (const Claim& claim : claims) {
      out[{claim.build, region.name}] = {int(budget.of(claim.build)), claim.share_ppm > 0 ||
                                                                          claim.reach_ppm > 0 ||
                                                                          claim.ahead_ppm > 0};
    }
  }
  return out;
}

}  // namespace showcaller
