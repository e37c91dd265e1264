// SPDX-License-Identifier: Apache-2.0
// What policies say now and will say soon: who may do what, which approvals are waited for, what
// lapses, which freezes come, and what policies in audit mode have found. Pure.
#pragma once

#include "base/json.h"
#include "model/world.h"

namespace showcaller {

// {"verbs":[…],"roles":[{"role","policy","verbs","owners"}],
//  "approvals":[{"event","revision","hash","author","missing","given":[{"by","until"}]}],
//  "expiring":[{"what","until","says"}],"freezes":[{"policy","freeze","from","to","on","owners","reason"}],
//  "findings":[{"event","says"}]}
// Sorted by time where they have one. Freezes that are over, and what lapses later than in
// kPolicyAhead, are left out.
json::object policy_view(const World& world, Instant now);

inline constexpr Duration kPolicyAhead = hours(24 * 30);

}  // namespace showcaller
