// SPDX-License-Identifier: Apache-2.0
#include "compute/instance_pool.h"

#include <algorithm>

namespace showcaller {
namespace {

bool has(const std::vector<std::string>& sorted, const std::string& text) {
  return std::binary_search(sorted.begin(), sorted.end(), text);
}

bool can_take(const InstanceSlot& slot, const FleetAllocationPlan* plan) {
  if (!plan || !slot.used || !slot.seen) return false;
  const auto build = plan->builds.find(slot.build);
  if (build == plan->builds.end() || build->second.quarantined) return false;
  const std::int64_t most = build->second.sessions_per_instance;
  const bool open =
      slot.state == InstanceState::Ready || (most > 1 && slot.state == InstanceState::Allocated);
  if (!open || (!plan->reuse && slot.sessions_ended > 0)) return false;
  if (std::int64_t(slot.sessions.size()) >= most) return false;
  if (has(plan->withheld, slot.id) || has(plan->quarantined_hosts, slot.host)) return false;
  if (has(plan->quarantined_regions, slot.region)) return false;
  return plan->quarantined_pairs.empty() ||
         !has(plan->quarantined_pairs, slot.build + "@" + slot.host);
}

}  // namespace

InstanceSlot* InstancePool::find(const std::string& id) {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : &slots_[at->second];
}

InstanceSlot* InstancePool::find_after(InstanceSlot* before, const std::string& id) {
  if (!before) return find(id);
  const std::uint32_t next = before->follower;
  if (next < slots_.size() && slots_[next].used && slots_[next].id == id) return &slots_[next];
  InstanceSlot* found = find(id);
  if (found) before->follower = index_of(found);
  return found;
}

InstanceSlot& InstancePool::add(const ObservedInstance& seen) {
  std::uint32_t index;
  if (holes_.empty()) {
    index = std::uint32_t(slots_.size());
    slots_.emplace_back();
  } else {
    index = holes_.back();
    holes_.pop_back();
    slots_[index] = InstanceSlot{};
  }
  InstanceSlot& slot = slots_[index];
  slot.used = true;
  slot.id = seen.id;
  slot.build = seen.build;
  slot.region = seen.region;
  by_id_[slot.id] = index;
  ++members_of(slot).count;
  return slot;
}

void InstancePool::leave_free(InstanceSlot* slot) {
  if (!slot->is_free) return;
  members_of(*slot).free.erase({slot->turn, index_of(slot)});
  slot->is_free = false;
}

void InstancePool::remove(InstanceSlot* slot) {
  leave_free(slot);
  --members_of(*slot).count;
  by_id_.erase(slot->id);
  holes_.push_back(index_of(slot));
  *slot = InstanceSlot{};
}

void InstancePool::rename(InstanceSlot* slot, const ObservedInstance& seen) {
  if (slot->build == seen.build && slot->region == seen.region) return;
  leave_free(slot);
  --members_of(*slot).count;
  slot->build = seen.build;
  slot->region = seen.region;
  ++members_of(*slot).count;
}

void InstancePool::refresh(InstanceSlot* slot, const FleetAllocationPlan* plan) {
  const bool free = can_take(*slot, plan);
  const bool in_turn = (slot->turn == 0) == !slot->sessions.empty();
  if (free == slot->is_free && (!free || in_turn)) return;
  leave_free(slot);
  if (!free) return;
  slot->turn = slot->sessions.empty() ? ++turns_ : 0;
  members_of(*slot).free.insert({slot->turn, index_of(slot)});
  slot->is_free = true;
}

void InstancePool::refresh_all(const FleetAllocationPlan* plan) {
  for (InstanceSlot& slot : slots_) {
    if (slot.used) refresh(&slot, plan);
  }
}

InstanceSlot* InstancePool::first_free(const std::string& build, const std::string& region) {
  const auto at = groups_.find({build, region});
  if (at == groups_.end() || at->second.free.empty()) return nullptr;
  return &slots_[at->second.free.begin()->second];
}

bool InstancePool::has_any(const std::string& build, const std::string& region) const {
  const auto at = groups_.find({build, region});
  return at != groups_.end() && at->second.count > 0;
}

}  // namespace showcaller
