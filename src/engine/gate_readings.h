// SPDX-License-Identifier: Apache-2.0
// From what was found about each side of each gate to one reading a gate, and one of the stage. A
// gate against the baseline and against a number is one gate: the graver verdict stands, and both
// reasons are told. Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/input.h"

namespace showcaller {

// Of two verdicts the one that stands for both: fail, skewed, blind, thin, pass.
Verdict graver(Verdict a, Verdict b);

// `stage` is what the comparison as a whole says. The last of the readings is the stage's, without
// a name.
std::vector<GateReading> readings_of_stage(std::vector<GateReading> gates, GateReading stage);

}  // namespace showcaller
