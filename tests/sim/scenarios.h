// SPDX-License-Identifier: Apache-2.0
// Directed runs of the small game: what happens in each, and what must come of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run.h"

namespace showcaller::sim {

struct Scenario {
  std::string name;
  RunSpec spec;
  // A sentence for what must come of it beside what must always hold, if it did not; empty: it did.
  std::function<std::string(const RunResult&)> expects;

  // All that is wrong with the run of it.
  std::vector<std::string> wrong_with(const RunResult& result) const;
};

const std::vector<Scenario>& scenarios();
const Scenario* scenario_named(std::string_view name);  // null: there is none

}  // namespace showcaller::sim
