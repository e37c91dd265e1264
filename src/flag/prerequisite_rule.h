// SPDX-License-Identifier: Apache-2.0
// "Another flag gives this variant" as a condition of flagd's language, so that every provider that
// evaluates in-process comes to the same answer without knowing of prerequisites.
//
// The other flag's targeting is written out inside the condition: evaluators are spelled out, for
// some providers do not resolve a reference within an evaluator, and what goes by the flag's own
// key (`$flagd.flagKey`, shares that name nothing to bucket by) goes by the other flag's. Pure.
// Limits: a share whose first argument is an expression that gives a bucket, not something to
// bucket by, is taken for the latter.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace showcaller {

// The rule as it is evaluated within any other flag. `evaluators` are those it refers to.
json::value pinned_rule(const json::value& rule, std::string_view flag,
                        const json::object& evaluators);

// A condition that holds where the flag gives the variant. `definition` is flagd's.
json::value gives_variant(const json::object& definition, std::string_view flag,
                          std::string_view variant, const json::object& evaluators);

}  // namespace showcaller
