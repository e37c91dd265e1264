// SPDX-License-Identifier: Apache-2.0
// The services behind actions and probes: they answer after a while, lose an answer now and then,
// and refuse to undo when told to. An effect is bound to its idempotency key; a probe's journey is
// good unless its answer is lost. Threads: none.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "flow/port/action.h"
#include "flow/port/probe.h"
#include "sim/truth.h"

namespace showcaller::sim {

// What a service did for a call.
struct ActionEffect {
  std::string event;
  std::int64_t revision = 0;
  int step = 0;
  StepDirection direction = StepDirection::Do;
};

class VirtualServices final : public ActionPort, public ProbePort {
 public:
  VirtualServices(const Truth* truth, std::uint64_t seed) : truth_(truth), random_(seed) {}

  void call(const ActionCall& call, ActionPort::Outcome done) override;
  void run(const ProbeCall& call, ProbePort::Outcome done) override;
  // Gives the answers that are due.
  void set_time(Duration now);
  // The caller died: nobody waits for what is under way.
  void forget_callers() { under_way_.clear(); }
  // In the order they happened.
  const std::vector<ActionEffect>& effects() const { return effects_; }

 private:
  void answer_at(Duration at, ActionPort::Outcome done, StepOutcome outcome, std::string detail);

  const Truth* truth_;
  Random random_;
  Duration now_{};
  std::set<std::string> keys_;  // whose effect is there
  std::vector<ActionEffect> effects_;
  std::multimap<Duration, std::function<void()>> under_way_;  // answers, by when they come
};

}  // namespace showcaller::sim
