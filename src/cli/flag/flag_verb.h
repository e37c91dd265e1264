// SPDX-License-Identifier: Apache-2.0
// `flag rule`: rules with their data in, results out, a line of JSON each, so that anybody's set of
// JSONLogic examples can be held against this evaluator. docs/flags.md is the format.
#pragma once

#include <cstddef>
#include <istream>
#include <ostream>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

// As JSON.stringify writes it: 3 and not 3.0, 1e+21, and null for what is no number.
std::string javascript_json_text(const json::value& value);

// Each line of `in` that is not blank is {"rule": …, "data": …} and becomes one line of `out`: the
// result, or {"error": "…"}, which `errors` is told with the line's number as well. Flushes
// whenever no more input is at hand. How many lines gave an error.
Result<std::size_t> apply_rules(std::istream& in, std::ostream& out, std::ostream& errors);

int flag_rule_verb(const std::string& path);

}  // namespace showcaller
