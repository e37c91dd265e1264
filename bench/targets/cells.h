// SPDX-License-Identifier: Apache-2.0
// What is asked of the gate: T1 to T13, cell by cell.
#pragma once

#include <vector>

#include "bench/targets/cell.h"

namespace showcaller::bench {

// T1 to T3, T11: what must not happen to a good release.
std::vector<Cell> false_alarm_cells();
// E5 and E6, and what they ask of who reports.
std::vector<Cell> population_cells();
// T4 to T11: what must be found, and how soon.
std::vector<Cell> detection_cells();
// T12, T13: what was planned, and what may pass.
std::vector<Cell> promise_cells();

}  // namespace showcaller::bench
