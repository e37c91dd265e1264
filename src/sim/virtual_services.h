// SPDX-License-Identifier: Apache-2.0
// The services behind actions: they answer after a while, lose an answer now and then, and refuse
// to undo when told to. An effect is bound to its idempotency key. Threads: none.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "flow/port/action.h"
#include "sim/truth.h"

namespace showcaller::sim {

// What a service did for a call.
struct ActionEffect {
  std::string event;
  std::int64_t revision = 0;
  int step = 0;
  StepDirection direction = StepDirection::Do;
};

class VirtualServices final : public ActionPort {
 public:
  VirtualServices(const Truth* truth, std::uint64_t seed) : truth_(truth), random_(seed) {}

  void call(const ActionCall& call, Outcome done) override;
  // Gives the answers that are due.
  void set_time(Duration now);
  // The caller died: nobody waits for what is under way.
  void forget_callers() { under_way_.clear(); }
  // In the order they happened.
  const std::vector<ActionEffect>& effects() const { return effects_; }

 private:
  struct Answer {
    StepOutcome outcome = StepOutcome::Done;
    std::string detail;
    Outcome done;
  };
  const Truth* truth_;
  Random random_;
  Duration now_{};
  std::set<std::string> keys_;  // whose effect is there
  std::vector<ActionEffect> effects_;
  std::multimap<Duration, Answer> under_way_;
};

}  // namespace showcaller::sim
