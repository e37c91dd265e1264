// SPDX-License-Identifier: Apache-2.0
#include "host/action_reconciler.h"

#include <fmt/format.h>

#include "flow/saga.h"

namespace showcaller {
namespace {

// The call, and after a good answer the question whether it is so.
void call_and_verify(ActionPort* port, const ActionCall& call, ActionPort::Outcome done) {
  if (call.verify_url.empty()) return port->call(call, std::move(done));
  ActionCall verify = call;
  verify.url = call.verify_url;
  verify.path = call.verify_path;
  verify.idempotency_key += fmt::format("/verify/{}", call.attempt);
  verify.verify_url.clear();
  port->call(call, [port, verify = std::move(verify), done = std::move(done)](StepOutcome outcome,
                                                                              std::string detail) {
    if (outcome != StepOutcome::Done) return done(outcome, std::move(detail));
    port->call(verify, [done, path = verify.path, detail](StepOutcome verified, std::string said) {
      done(verified, fmt::format("{}, {}: {}", detail, path, said));
    });
  });
}

}  // namespace

void ActionReconciler::pass() {
  const auto world = host_->published();
  const Instant now = host_->now();
  for (const ActionCall& call : wanted_calls(*world, now)) {
    const std::string key = fmt::format("{}#{}", call.idempotency_key, call.attempt);
    {
      std::lock_guard lock(in_flight_->mutex);
      if (in_flight_->keys.contains(key)) continue;
    }
    const auto pass = breakers_->admit(*world, call, now);
    if (!pass) continue;  // It is still wanted at the next pass.
    {
      std::lock_guard lock(in_flight_->mutex);
      in_flight_->keys.insert(key);
    }
    send(call, *pass, key);
  }
  for (BreakerObserved& news : breakers_->news(*world, now)) (void)host_->submit(std::move(news));
}

void ActionReconciler::send(const ActionCall& call, const ActionBreakers::Pass& pass,
                            const std::string& key) {
  StepReported report{call.event,   call.revision,        call.step, call.direction,
                      call.attempt, StepOutcome::Unknown, {}};
  const auto answer = [host = host_, in_flight = in_flight_, breakers = breakers_, pass, key,
                       report](StepOutcome outcome, std::string detail) {
    breakers->tell(pass, outcome, host->now());
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
  };
  call_and_verify(port_, call, answer);
}

}  // namespace showcaller
