// SPDX-License-Identifier: Apache-2.0
// Sends the change-sets' actions that the durable world wants, and brings their outcomes back to
// the engine. A call in flight is not sent twice by one server; after a crash the same idempotency
// key makes a second one harmless. A service that fails is let be for a while (action_breakers.h).
//
// Threads: pass() by one; outcomes come back on the port's threads.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "flow/port/action.h"
#include "host/action_breakers.h"
#include "host/engine_host.h"

namespace showcaller {

class ActionReconciler {
 public:
  ActionReconciler(EngineHost* host, ActionPort* port) : host_(host), port_(port) {}
  void pass();

 private:
  struct InFlight {
    std::mutex mutex;
    std::set<std::string> keys;  // idempotency key and attempt
  };
  void send(const ActionCall& call, const ActionBreakers::Pass& pass, const std::string& key);

  EngineHost* host_;
  ActionPort* port_;
  std::shared_ptr<InFlight> in_flight_ = std::make_shared<InFlight>();
  std::shared_ptr<ActionBreakers> breakers_ = std::make_shared<ActionBreakers>();
};

}  // namespace showcaller
