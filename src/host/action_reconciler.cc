// SPDX-License-Identifier: Apache-2.0
#include "host/action_reconciler.h"

#include <fmt/format.h>

#include "flow/saga.h"

namespace showcaller {

void ActionReconciler::pass() {
  const auto world = host_->published();
  for (const ActionCall& call : wanted_calls(*world, host_->now())) {
    const std::string key = fmt::format("{}#{}", call.idempotency_key, call.attempt);
    {
      std::lock_guard lock(in_flight_->mutex);
      if (!in_flight_->keys.insert(key).second) continue;
    }
    StepReported report{call.event,   call.revision,        call.step, call.direction,
                        call.attempt, StepOutcome::Unknown, {}};
    port_->call(call, [host = host_, in_flight = in_flight_, key, report](StepOutcome outcome,
                                                                          std::string detail) {
      StepReported done = report;
      done.outcome = outcome;
      done.detail = std::move(detail);
      const auto land = [in_flight, key] {
        std::lock_guard lock(in_flight->mutex);
        in_flight->keys.erase(key);
      };
      // If the mailbox is full the outcome is lost, and the step is tried again with the same key.
      const Status told = host->submit(std::move(done), [land](const Result<Receipt>&) { land(); });
      if (!told) land();
    });
  }
}

}  // namespace showcaller
