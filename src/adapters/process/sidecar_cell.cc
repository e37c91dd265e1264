// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/sidecar_cell.h"

#include <vector>

namespace showcaller {

agones::SdkResult SidecarCell::call(const agones::SdkCall& call) {
  agones::SdkResult result =
      with([&](agones::SidecarState& state, Instant now) { return state.apply(call, now); });
  if (hooks_.on_call) hooks_.on_call(call, result);
  return result;
}

std::uint64_t SidecarCell::watch(Watcher watcher) {
  const std::lock_guard publishing(publish_mutex_);
  const std::uint64_t id = next_id_++;
  agones::GameServer present;
  {
    const std::lock_guard lock(mutex_);
    present = state_.game_server();
  }
  watchers_.emplace(id, watcher);
  watcher(present);
  return id;
}

void SidecarCell::unwatch(std::uint64_t id) {
  const std::lock_guard publishing(publish_mutex_);
  watchers_.erase(id);
}

void SidecarCell::publish() {
  {
    const std::lock_guard publishing(publish_mutex_);
    agones::GameServer present;
    {
      const std::lock_guard lock(mutex_);
      if (state_.version() == published_) return;
      published_ = state_.version();
      if (!watchers_.empty()) present = state_.game_server();
    }
    std::vector<std::uint64_t> ids;
    for (const auto& [id, watcher] : watchers_) ids.push_back(id);
    for (const std::uint64_t id : ids) {
      const auto it = watchers_.find(id);
      if (it == watchers_.end()) continue;
      const Watcher watcher = it->second;
      watcher(present);
    }
  }
  if (hooks_.on_change) hooks_.on_change();
}

}  // namespace showcaller
