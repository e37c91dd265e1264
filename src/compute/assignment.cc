// SPDX-License-Identifier: Apache-2.0
#include "compute/assignment.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/deliberate_bug.h"
#include "compute/session_players.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

class SessionAudience {
 public:
  SessionAudience(const AllocationRequest& request, const std::string& party,
                  const std::string& region, Instant now)
      : request_(request), players_(request, party, region), now_(now) {}

  bool all(const Exposure* exposure) const {
    if (!exposure) return false;
    return std::all_of(request_.players.begin(), request_.players.end(),
                       [&](const AllocationPlayer& player) { return admits(*exposure, player); });
  }
  bool any(const Exposure* exposure) const {
    if (!exposure) return false;
    return std::any_of(request_.players.begin(), request_.players.end(),
                       [&](const AllocationPlayer& player) { return admits(*exposure, player); });
  }

 private:
  bool admits(const Exposure& exposure, const AllocationPlayer& player) const {
    return players_.ask(
        player, [&](const EvaluationContext& context) { return exposure.admits(context, now_); });
  }

  const AllocationRequest& request_;
  SessionPlayers players_;
  Instant now_;
};

const PlannedBuild* find_build(const FleetAllocationPlan& plan, const std::string& version) {
  const auto at = plan.builds.find(version);
  return at == plan.builds.end() ? nullptr : &at->second;
}

std::unexpected<Error> not_spoken(const FleetAllocationPlan& plan,
                                  const AllocationRequest& request) {
  std::string spoken;
  for (const auto& [version, build] : plan.builds) {
    const bool used = version == plan.base ||
                      std::any_of(plan.layers.begin(), plan.layers.end(),
                                  [&](const CanaryLayer& l) { return l.build == version; });
    if (used)
      spoken += fmt::format("{}{} speaks {}", spoken.empty() ? "" : "; ", version,
                            fmt::join(build.protocols, ", "));
  }
  return fail(ErrorCode::Unsupported, fmt::format("no build of fleet {} that this session may have "
                                                  "speaks protocol {} ({}); update the client",
                                                  request.fleet, request.protocol, spoken));
}

}  // namespace

std::string party_of(const AllocationRequest& request) {
  if (!request.party.empty()) return request.party;
  return request.players.empty() ? std::string() : request.players.front().id;
}

Result<BuildAssignment> assign_build(const FleetAllocationPlan& plan,
                                     const AllocationRequest& request, const std::string& region,
                                     const std::vector<const CanaryLayer*>& skip, Instant now) {
  const std::string party =
      broken(DeliberateBug::DrawnEachSession) ? request.session : party_of(request);
  const SessionAudience audience(request, party, region, now);
  BuildAssignment out;
  for (const CanaryLayer& layer : plan.layers) {
    if (layer.build == plan.base || !layer.admits) continue;
    const PlannedBuild* build = find_build(plan, layer.build);
    if (!build || !build->speaks(request.protocol)) continue;  // Never had a choice: in no arm.
    const bool admitted = audience.all(layer.admits.get());
    const bool eligible = audience.all(layer.eligible.get());
    if (!admitted && !eligible) continue;
    ArmAssignment arm{layer.event, layer.revision,
                      layer.visit, admitted ? Arm::Canary : Arm::Baseline,
                      false,       false};
    // Several players with a bucket each have no share of their own to be counted by.
    const bool one_draw = layer.unit != Unit::Player || request.players.size() == 1;
    arm.counted = eligible && one_draw && !audience.any(layer.exempt.get());
    const bool skipped = std::find(skip.begin(), skip.end(), &layer) != skip.end();
    if (admitted && skipped) {
      arm.arm = Arm::Baseline;
      arm.spilled = true;
      arm.counted = false;
    }
    out.arms.push_back(std::move(arm));
    if (admitted && !skipped) {
      out.build = layer.build;
      out.layer = &layer;
      return out;
    }
  }
  const PlannedBuild* base = find_build(plan, plan.base);
  if (!base || !base->speaks(request.protocol)) return not_spoken(plan, request);
  out.build = plan.base;
  return out;
}

Result<std::vector<std::string>> candidate_regions(const FleetAllocationPlan& plan,
                                                   const AllocationRequest& request) {
  const auto known = [&](const std::string& region) {
    return std::find(plan.regions.begin(), plan.regions.end(), region) != plan.regions.end();
  };
  std::vector<std::string> out;
  if (!request.region.empty()) {
    if (!known(request.region)) {
      return fail(ErrorCode::Invalid,
                  fmt::format("fleet {} has no region '{}'; it has {}", request.fleet,
                              request.region, fmt::join(plan.regions, ", ")));
    }
    out.push_back(request.region);
  }
  std::vector<std::pair<std::int64_t, std::string>> near;
  for (const auto& [region, latency] : request.latency_ms) {
    if (region != request.region && known(region)) near.emplace_back(latency, region);
  }
  std::sort(near.begin(), near.end());
  for (auto& [latency, region] : near) out.push_back(std::move(region));
  if (out.empty()) out = plan.regions;
  return out;
}

}  // namespace showcaller
