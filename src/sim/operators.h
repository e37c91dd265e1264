// SPDX-License-Identifier: Apache-2.0
// Operators who do what the run's spec says, each command once, and what their commands met: the
// phase of the event, and the faults that acted. A command about an alert or a silence that does
// not say which is about the oldest that is there. Threads: none.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "sim/run.h"
#include "sim/truth.h"

namespace showcaller::sim {

class Operators {
 public:
  Operators(const Truth* truth, std::span<const ScheduledCommand> commands)
      : truth_(truth), commands_(commands), sent_(commands.size()) {}

  // The next command whose time has come, if there is one; answered() before the next is asked for.
  std::optional<Command> next(const World& world, const EventState& event, Instant engine_now);
  void answered(bool accepted) { met_.back().accepted = accepted; }

  const std::vector<SentCommand>& met() const { return met_; }

 private:
  std::vector<FaultKind> acting() const;

  const Truth* truth_;
  std::span<const ScheduledCommand> commands_;
  std::vector<bool> sent_;
  std::vector<SentCommand> met_;
};

}  // namespace showcaller::sim
