// SPDX-License-Identifier: Apache-2.0
// `anomaly`: a series as CSV in, the same rows with a score from 0 to 1 out, each as soon as it is
// read. docs/forecast.md is the format.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "cli/terminal.h"

namespace showcaller {

struct AnomalyRequest {
  std::string file = "-";
  std::string step;  // what timestamps count that are counts; empty: an hour
};

// Flushes whenever no more input is at hand. What was scored before a row that is refused is
// written.
enum class RowForm { Csv, JsonLines };
Status score_rows(std::istream& in, std::ostream& out, Duration count_step, RowForm form);

int anomaly_verb(const AnomalyRequest& request, OutputForm form);

}  // namespace showcaller
