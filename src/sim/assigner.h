// SPDX-License-Identifier: Apache-2.0
// Whom the published world puts on which arm, by the production's own rules: builds as the
// allocator assigns them, and flags as a client that evaluates them itself. Threads: none.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/allocation_plan.h"
#include "compute/assignment.h"
#include "host/host.h"

namespace showcaller::sim {

class Assigner {
 public:
  // Follows what the host publishes from now on. `event`: whose canary it tells of.
  Assigner(Host* host, std::string event);

  std::shared_ptr<const AllocationPlan> plan() const { return plan_; }
  // Absent: no such fleet, or no build that the session may have. `skip`: canaries that cannot take
  // it.
  std::optional<BuildAssignment> builds(const AllocationRequest& request,
                                        const std::vector<const CanaryLayer*>& skip = {}) const;
  // Of events under way that change no build.
  std::vector<ArmAssignment> flags(const AllocationRequest& request) const;
  // "fleet/build" of those that the event brings while it is under way.
  const std::set<std::string>& canaries() const { return canaries_; }
  // Raised whenever somebody may be assigned otherwise than before.
  std::uint64_t version() const { return version_; }
  // Whether each session is drawn by itself, so that a party has no assignment of its own.
  bool draws_sessions() const { return draws_sessions_; }

 private:
  struct FlagLayer {
    std::string event;
    std::int64_t revision = 0, visit = 0;
    Unit unit = Unit::Player;
    std::optional<Exposure> admits, eligible, exempt;
  };
  void follow(const World& world);
  bool some_layer_draws_sessions() const;
  FlagLayer layer_of(const std::string& name, const EventState& event) const;

  Host* host_;
  std::string event_;
  std::shared_ptr<const AllocationPlan> plan_;
  std::vector<FlagLayer> layers_;
  std::set<std::string> canaries_;
  std::uint64_t version_ = 0;
  bool draws_sessions_ = false;
};

}  // namespace showcaller::sim
