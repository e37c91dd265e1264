// SPDX-License-Identifier: Apache-2.0
// What a rehearsal or a backtest proves of an event's gates, and how a server is told.
//
// Proven is a gate that found something, by a judge that was wrong nowhere: the whole rehearsal or
// backtest passed, with so many clean runs or good recordings at least. docs/gates.md says it to
// users.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/client_verbs.h"
#include "model/command.h"

namespace showcaller {

inline constexpr std::int64_t kGoodOnesProving = 20;  // in which the gate had nothing to find

struct GateProofs {
  std::vector<ProveGateCommand> proven;
  std::vector<std::string> not_proven;  // a sentence each: what is missing
};

// `report`: docs/rehearse.md, of that event alone.
GateProofs proven_by_rehearsal(const std::string& event, const LiveEventSpec& spec,
                               const json::object& report);

// A recording whose truth is known, as the backtest judged it.
struct BacktestedStage {
  json::object stage;    // that it was judged under
  json::object metrics;  // the last line's
  bool bad = false;      // in truth
  bool wrong = false;    // good and undone, or bad and passed
};
GateProofs proven_by_backtest(const std::string& event, const LiveEventSpec& spec,
                              std::span<const BacktestedStage> stages);

// The event as the server has it.
Result<Manifest> event_on_server(const ClientContext& context, const std::string& name);
// Says on standard error what was recorded and what was not. The exit code.
int record_proofs(const ClientContext& context, const GateProofs& proofs);

}  // namespace showcaller
