// SPDX-License-Identifier: Apache-2.0
// Circuit breakers of the services that actions call: whether a call may go now, and what the
// engine is told of them. A call that may not go waits; its step stays as it is, and the saga tries
// again as ever. Undoing never waits: it goes whatever the breaker says, and what the saga leaves
// between two attempts is pause enough.
//
// A service has failed when its answer is unknown; one that refuses answers. Breakers are soft
// state: a restarted server begins with closed ones.
//
// Threads: any.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/circuit_breaker.h"
#include "engine/input.h"
#include "flow/port/action.h"
#include "model/world.h"

namespace showcaller {

class ActionBreakers {
 public:
  // A call that may go, by the service that it goes to.
  struct Pass {
    std::string service;  // empty: a URL of its own, which no breaker guards
    std::uint64_t period = 0;
  };
  std::optional<Pass> admit(const World& world, const ActionCall& call, Instant now);
  void tell(const Pass& pass, StepOutcome outcome, Instant now);
  // What the world does not know yet.
  std::vector<BreakerObserved> news(const World& world, Instant now);

 private:
  std::mutex mutex_;
  std::map<std::string, CircuitBreaker> breakers_;  // by service
};

}  // namespace showcaller
