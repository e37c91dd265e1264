// SPDX-License-Identifier: Apache-2.0
// Random runs of the small game: faults and operators' commands at random times, all of it from a
// seed; and runs that are steered, so that a command meets an event in a phase while a fault acts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/sim/operator_verbs.h"

namespace showcaller::sim {

// A command decided in a phase while a fault acted, or had struck.
struct Meeting {
  FaultKind fault = FaultKind::Errors;
  Phase phase = Phase::Draft;
  OperatorVerb verb = OperatorVerb::Hold;
  friend auto operator<=>(const Meeting&, const Meeting&) = default;
};
std::string to_text(const Meeting& meeting);  // "crashes/Live/hold"
std::optional<Meeting> parse_meeting(std::string_view text);

struct RandomRun {
  RunSpec spec;
  std::vector<OperatorVerb> verbs;  // of spec.commands
  std::string faults;               // as text
};
RandomRun random_run(std::uint64_t seed);
RandomRun run_to_meet(const Meeting& meeting, std::uint64_t seed);

// All that were met in a run.
std::vector<Meeting> meetings_of(const RandomRun& run, const RunResult& result);

}  // namespace showcaller::sim
