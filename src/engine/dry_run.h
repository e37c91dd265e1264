// SPDX-License-Identifier: Apache-2.0
// What a command would do, before it is given: the engine's own decision on a copy of the world,
// and all that follows from it at once. What would be refused is refused here, in the same words.
// Pure.
#pragma once

#include "base/json.h"
#include "engine/plan.h"
#include "model/record.h"

namespace showcaller {

struct DryRun {
  World after;
  Receipt receipt;
  std::vector<Record> records;
};
Result<DryRun> dry_run(const World& world, const Command& command, Instant now);

// {"dry_run":true,"repeated","notes":[…],"records":[{"kind","by","line"}],"left_out"?,
//  "events":[{"event","before"?,"after","at_risk"?:{"risk_lasts","sessions_at_risk_max"?,
//             "players_at_risk_max"?,"says"}}],
//  "touches"?:{"instances","players","says"}}
// `before` and `after` are short forms of the event (view.h); `at_risk` is there when exposure
// grows, `touches` when instances are isolated.
json::object dry_run_view(const World& before, const DryRun& dry_run, const PlanFacts& facts);

}  // namespace showcaller
