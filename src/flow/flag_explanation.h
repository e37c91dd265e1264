// SPDX-License-Identifier: Apache-2.0
// What somebody is given of a flag, and which of its parts decided: kill switch, prerequisites,
// schedule, layers of events, targeting, default. The answer is that of the document that servers
// get (flag_snapshot.h); the steps say how it came about.
//
// Pure. Threads: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "flow/flag_layers.h"

namespace showcaller {

// "kill_switch", "prerequisite", "schedule", "disabled", "holdout", "exclusion", "layer",
// "targeting", "default".
struct FlagStep {
  std::string rule, says;
};
struct FlagExplanation {
  std::string flag;
  Instant at{};
  json::value value;            // null: what the caller falls back on
  std::string variant;          // empty: none
  std::string reason, error;    // OpenFeature's names; no error: empty
  std::vector<FlagStep> steps;  // from the top; the last one decided
  std::vector<std::string> notes;
};

// `at` is a date. Of a time that is yet to come, `foreseen` makes the world.
Result<FlagExplanation> explain_flag(const World& world, const FlagSaltOf& salt_of,
                                     std::string_view flag, const json::object& context,
                                     Instant at);
json::object explanation_view(const FlagExplanation& explanation);

// The world as it will be for flags if nobody does anything: schedules of flags have come, events
// whose end has come give nothing. What can't be known, such as whether a stage will be proven, is
// told in `notes`.
World foreseen(World world, Instant at, std::vector<std::string>* notes);

}  // namespace showcaller
