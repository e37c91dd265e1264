// SPDX-License-Identifier: Apache-2.0
// The report of a rehearsal as one HTML page that needs nothing else: what was found, and drawn:
// players and exposure, headroom, the evidence look by look, and whom the faults harmed.
#pragma once

#include <span>
#include <string>

#include "sim/rehearsal.h"

namespace showcaller::sim {

// A run told in full, and what went wrong in it.
struct ToldRun {
  std::string title;  // "nothing wrong", "crashes"
  RunResult run;
};

std::string report_html(const json::object& report, std::span<const ToldRun> told);

}  // namespace showcaller::sim
