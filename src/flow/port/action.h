// SPDX-License-Identifier: Apache-2.0
// Port: what carries a change-set's actions to the services that do them.
//
// A call is a POST whose effect its service binds to the idempotency key: the same key again has
// the same effect and the same answer. The body is
// {"event","revision","step","direction","attempt","path","epoch"}.
//
// Threads: call() by any, and it never blocks; done is called exactly once, on any thread, also
// when the port closes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/time.h"
#include "model/payloads.h"

namespace showcaller {

struct ActionCall {
  std::string event;
  std::int64_t revision = 0;
  int step = 0;
  StepDirection direction = StepDirection::Do;
  std::int64_t attempt = 0;
  std::string url;   // whole; empty: `problem` tells why there is none
  std::string path;  // as the manifest writes it
  std::string
      idempotency_key;      // "<event>/r<revision>/s<step>/<do|undo>": the same for every attempt
  std::string traceparent;  // of this attempt's span in the revision's trace; empty: none
  std::uint64_t epoch =
      0;  // of the server that calls; a service may refuse a lower one than it has seen
  Duration timeout{};
  std::string problem;
  // What is asked after a good answer, whether it is really so: a call like this one, whose
  // outcome is the step's. Empty: nothing.
  std::string verify_url, verify_path;
};

class ActionPort {
 public:
  virtual ~ActionPort() = default;

  // Done: the service says so. Failed: it refused for good, and asking again won't help. Unknown:
  // anything else, a lost answer included; the call will come again with the same key.
  using Outcome = std::function<void(StepOutcome outcome, std::string detail)>;
  virtual void call(const ActionCall& call, Outcome done) = 0;
};

}  // namespace showcaller
