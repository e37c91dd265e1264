// SPDX-License-Identifier: Apache-2.0
// One tick of a judged stage as the evidence store keeps it, and what is read out of it again: what
// was just counted and what is read after a restart take one way. Pure.
//
// history = {"t":0, "groups":…}: the baseline's last hour, whole; before the ticks of its gates
//   line = {"t":…, "units":…, "groups":… (evidence/tick.h), "seen": bool, "alive"?: true,
//           "trust": {metric: "server"|"probe"|"client"}, "absolute"?: {metric: counts | level}}
//   counts = {"n": whole, "x": whole, "histogram"?: …}, of the canary; level = {"level": number,
//   "basis"?: text}
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/json.h"
#include "engine/absolute_gate.h"
#include "engine/gate_plan.h"
#include "flow/telemetry_intake.h"

namespace showcaller {

// Free capacity over need, and what need is taken from; empty: from what runs.
struct Headroom {
  double level = 0;
  std::string basis;
};

json::object tick_line(const JudgedStage& stage, const StageTick& counted, const UnitCounts& units,
                       std::int64_t t_s, const std::optional<Headroom>& headroom);

// By gate, what its baseline's groups were like in the hour before.
using GateHistory = std::map<std::string, BaselineGroups>;
// Absent: nothing is known.
std::optional<json::object> history_line(const JudgedStage& stage, const GateHistory& by_gate);
bool is_history(const json::object& line);

// Whose word the line's counts are, by metric. A line that does not say is the server's.
std::map<std::string, Trust> trust_of(const json::object& line);
// As if nobody had said anything of these metrics.
void leave_out(const std::set<std::string>& metrics, const JudgedStage& stage, json::object* line);
AbsoluteTick absolute_tick(const json::object& line, const std::string& metric);

}  // namespace showcaller
