// SPDX-License-Identifier: Apache-2.0
// The instances of one fleet as the allocator knows them, and which of them can take a session, by
// build and region.
//
// Finding a free one costs O(log n). Threads: none.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compute/allocation_plan.h"
#include "compute/port/fleet_driver.h"

namespace showcaller {

constexpr Duration kForgetUnseenAfter = seconds(15);

struct InstanceSlot {
  std::string id, build, region, host, address;
  std::vector<int> ports;
  InstanceState state = InstanceState::Exited;
  std::int64_t sessions_ended = 0;
  std::vector<std::string> sessions;  // that we gave it and that have not ended
  // The one that it was given last, and the one before: it shows them until it is given another.
  std::string given_last, given_before;
  bool used = false;           // the slot holds an instance
  bool seen = false;           // in the last observation
  std::uint64_t turn = 0;      // its place in `free`; 0: it has sessions already
  bool is_free = false;        // in a set of `free_`
  std::uint32_t follower = 0;  // the slot that the last observation listed behind it
  Instant last_seen{};
};

class InstancePool {
 public:
  InstanceSlot* find(const std::string& id);
  // The same, quicker where an observation lists it just behind `before` as the last one did. Null
  // is before the first.
  InstanceSlot* find_after(InstanceSlot* before, const std::string& id);
  InstanceSlot& add(const ObservedInstance& seen);
  // Removes it; its sessions are the caller's to forget.
  void remove(InstanceSlot* slot);
  // Follows a changed build or region.
  void rename(InstanceSlot* slot, const ObservedInstance& seen);
  // Puts the slot where its state and the plan want it.
  void refresh(InstanceSlot* slot, const FleetAllocationPlan* plan);
  void refresh_all(const FleetAllocationPlan* plan);

  // One that can take a session; null when there is none.
  InstanceSlot* first_free(const std::string& build, const std::string& region);
  // Any of the build that is there at all, whether or not it can take one.
  bool has_any(const std::string& build, const std::string& region) const;

  std::vector<InstanceSlot>& slots() { return slots_; }

 private:
  using Group = std::pair<std::string, std::string>;
  struct Members {
    // (turn, index): those that have sessions already come first, then who has been free the
    // longest. So instances that take several fill up one after the other, and an arm's sessions
    // spread over all of its instances.
    std::set<std::pair<std::uint64_t, std::uint32_t>> free;
    std::int64_t count = 0;
  };
  std::uint32_t index_of(const InstanceSlot* slot) const {
    return std::uint32_t(slot - slots_.data());
  }
  Members& members_of(const InstanceSlot& slot) { return groups_[{slot.build, slot.region}]; }
  void leave_free(InstanceSlot* slot);

  std::vector<InstanceSlot> slots_;
  std::vector<std::uint32_t> holes_;
  std::unordered_map<std::string, std::uint32_t> by_id_;  // looked up, never walked
  std::map<Group, Members> groups_;
  std::uint64_t turns_ = 0;
};

}  // namespace showcaller
