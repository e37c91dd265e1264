// SPDX-License-Identifier: Apache-2.0
// A flag's scheduled changes: what it says at a time. Pure.
#pragma once

#include <optional>

#include "base/time.h"
#include "model/spec/others.h"

namespace showcaller {

// The definition with all changes up to a time laid over it, in their order.
json::object definition_at(const FlagSpec& spec, Instant reached);
// The last change at or before a time; null: there is none.
const FlagScheduledChange* change_in_force(const FlagSpec& spec, Instant reached);
// "defaultVariant is open, state is ENABLED"
std::string change_text(const FlagScheduledChange& change);

}  // namespace showcaller
