// SPDX-License-Identifier: Apache-2.0
// Break-glass: two people together set approvals and freezes aside for one revision of one event,
// for a while. Its owner is paged each time. A stopped line, a hold and the quotas stay.
//
// Pure. Bound to the hash of the manifest, as an approval is; one of the two may be its author.
#pragma once

#include <optional>
#include <string>

#include "model/world.h"

namespace showcaller {

constexpr int kGlassPeople = 2;
constexpr Duration kGlassStaysBroken = hours(1);  // after each of them did

// Who broke it, until when and why, as a sentence; nothing unless enough people did.
std::optional<std::string> broken_glass(const EventState& event, Instant now);
// Conflict: this actor's part is done already. Invalid: without a reason nobody can look into it.
[[nodiscard]] Status may_break_glass(const EventState& event, std::string_view actor,
                                     std::string_view reason, Instant now);

}  // namespace showcaller
