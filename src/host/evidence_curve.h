// SPDX-License-Identifier: Apache-2.0
// A judged stage's evidence over time, for who looks at it: what each gate had seen and would have
// said at each tick, computed again from the evidence store by the gate itself. Says nothing that
// the gate did not: where the two differed, this would be wrong.
//
// {"event","revision","visit","live","stream","tick_s","warmup_s","planned_s","share","profile",
//  "t":[seconds], "log10_e":[number|null], "log10_threshold":number, "verdict":[text], "why",
//  "gates":[{"gate","metric","kind","better","worse_by_at_most","must_detect","at"?,
//            "canary":[rate|null], "baseline":[…], "canary_n":[whole], "baseline_n":[…],
//            "ratio":[…], "low":[…], "high":[number|null], "log10_e":[…], "verdict":[…], "why"}],
//  "budgets":[{"gate","metric","at_most"?,"at_least"?,"value":[number|null],"verdict":[…],"why"}]}
// All lists are as long as "t"; rates are of the time since the value before, ratios of the whole
// stage. A confidence sequence without an upper end yet is null.
//
// Threads: any. Costs some 10 µs a tick and 50 µs a gate and point.
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "flow/port/evidence_store.h"
#include "model/world.h"

namespace showcaller {

inline constexpr std::size_t kCurvePointsMax = 240;

struct CurveQuestion {
  std::string event;
  std::int64_t revision = 0;
  std::int64_t visit = 0;
  bool live = false;  // the watch after the last stage
};

// NotFound: no evidence is kept of it.
Result<json::object> evidence_curve(const World& world, EvidenceStore* store,
                                    const CurveQuestion& question,
                                    std::size_t points_max = kCurvePointsMax);

}  // namespace showcaller
