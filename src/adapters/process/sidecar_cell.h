// SPDX-License-Identifier: Apache-2.0
// The one sidecar state of a process, shared by the threads that serve the SDK and the loop that
// owns the game server.
//
// Threads: any. Watchers see states in order; several changes at once may reach them as one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "base/time.h"
#include "codec/agones_sidecar_state.h"

namespace showcaller {

class SidecarCell final : public agones::SidecarBackend {
 public:
  struct Hooks {
    std::function<Instant()> now;
    std::function<void()> on_change;  // after every change; may be empty
    std::function<void(const agones::SdkCall&, const agones::SdkResult&)> on_call;  // may be empty
  };

  SidecarCell(agones::SidecarState state, Hooks hooks)
      : state_(std::move(state)), hooks_(std::move(hooks)) {}

  agones::SdkResult call(const agones::SdkCall& call) override;
  std::uint64_t watch(Watcher watcher) override;
  void unwatch(std::uint64_t id) override;

  // Runs `act(state, now)` alone with the state, then tells the watchers. Returns what `act`
  // returns.
  template <class Act>
  auto with(Act act) {
    if constexpr (std::is_void_v<decltype(act(state_, Instant()))>) {
      {
        const std::lock_guard lock(mutex_);
        act(state_, hooks_.now());
      }
      publish();
    } else {
      auto result = [&] {
        const std::lock_guard lock(mutex_);
        return act(state_, hooks_.now());
      }();
      publish();
      return result;
    }
  }

 private:
  void publish();

  std::mutex mutex_;  // the state
  agones::SidecarState state_;
  Hooks hooks_;
  // The watchers. Recursive: a watcher's stream may end, and unwatch, within its own notice. Taken
  // before mutex_.
  std::recursive_mutex publish_mutex_;
  std::map<std::uint64_t, Watcher> watchers_;
  std::uint64_t next_id_ = 1;
  std::uint64_t published_ = 1;
};

}  // namespace showcaller
