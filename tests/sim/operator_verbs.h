// SPDX-License-Identifier: Apache-2.0
// What operators ask for in random runs of the small game, and in which phases of its event.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/random.h"
#include "sim/run.h"

namespace showcaller::sim {

enum class OperatorVerb : std::uint8_t {
  Hold,
  Resume,
  Promote,
  StepBack,
  Rollback,
  Cancel,
  Divert,
  Undivert,
  Pace,
  StopLine,
  ResumeLine,
  Revise,  // applies the manifest with a change
  Approve,
  Freeze,      // applies a policy that freezes every event for a while
  Quarantine,  // a host, for some minutes
  KillFlag,
  ReopenFlag,
  WithdrawFeature,
  RestoreFeature,
  Acknowledge,  // the oldest alert, as the next two
  Own,
  Resolve,
  Silence,  // the fleet, for some minutes
  Unsilence,
};
constexpr int kOperatorVerbs = 24;
std::string_view to_string(OperatorVerb verb);  // "hold", "stop_line"

// Those that a command can meet there. A draft is validated by the decision that makes it; the
// manifest is sound and has no end by a date, so nothing is rejected, settled or retired.
inline constexpr std::array kPhasesMet{Phase::Validated,   Phase::Approved,      Phase::Preparing,
                                       Phase::Ready,       Phase::RollingOut,    Phase::Live,
                                       Phase::RollingBack, Phase::RollbackStuck, Phase::RolledBack,
                                       Phase::Cancelled};

// By the author, if it applies a manifest; sizes and times are random.
ScheduledCommand scheduled(OperatorVerb verb, Phase phase, Duration after, Random* random);

}  // namespace showcaller::sim
