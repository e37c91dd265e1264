// SPDX-License-Identifier: Apache-2.0
// A drill in the simulator: one run of the event, with the drill's injects as faults at their
// times, and what came of them. The run ends when everything expected came or is late, or a stop
// condition holds. Pure; docs/drills.md has the report.
#pragma once

#include "engine/drill_score.h"
#include "sim/run.h"

namespace showcaller::sim {

// As faults of a run. A process that is killed or stopped serves nobody: both are a loss of
// instances. Invalid: a size that the kind does not take.
Result<std::vector<Fault>> faults_of(const DrillSpec& drill);

struct DrillPlayed {
  DrillVerdict verdict = DrillVerdict::Fail;
  json::object report;  // of DrillScore, with the run's ending, seed and hash
  RunResult run;
};
// `run`: the event with all that it needs, the population and the seed; its faults are the drill's.
Result<DrillPlayed> play_drill(const DrillSpec& drill, RunSpec run, bool with_story = false);

}  // namespace showcaller::sim
