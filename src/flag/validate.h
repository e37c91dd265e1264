// SPDX-License-Identifier: Apache-2.0
// Holds flag definitions against flagd's schemas, and against what its evaluation will need: all
// findings at once, each with the JSON pointer of the place. Compiling is lenient, as flagd is;
// this is for authors.
//
// Source: flagd-schemas (flags.json, targeting.json).
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "flag/flag_set.h"

namespace showcaller {

inline constexpr std::size_t kFlagFindingsMax = 1'000;

// Where a finding `spoils`, the flag does not compile; the others are evaluated as flagd does, with
// an error or the default variant for whom it concerns.
// A whole document: {"flags": …, "$evaluators": …, "metadata": …}.
std::vector<FlagFinding> validate_flags(const json::value& document);
// One flag, its pointers beginning with `pointer`. `evaluators` (may be null) are what `$ref` may
// name.
std::vector<FlagFinding> validate_flag(const json::value& flag, std::string_view pointer = "",
                                       const json::object* evaluators = nullptr);
// One expression anywhere a rule may stand.
std::vector<FlagFinding> validate_rule(const json::value& rule, std::string_view pointer = "",
                                       const json::object* evaluators = nullptr);

}  // namespace showcaller
