// SPDX-License-Identifier: Apache-2.0
// One tick of a judged stage: what was counted, the line that the evidence store keeps of it, and
// what is read out of that again after a restart. Pure.
//
// history = {"t":0, "groups":…}: the baseline's last hour, whole; before the ticks of its gates
//   line = {"t":…, "units":…, "groups":… (evidence/tick.h), "seen": bool, "alive"?: true,
//           "trust": {metric: "server"|"probe"|"client"}, "absolute"?: {metric: counts | level}}
//   A line that does not say whose word it is, is the server's.
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

// What a line says, in the stage's shape.
struct StageLine {
  std::optional<Tick> tick;  // absent: its counts cannot be read
  std::int64_t t_s = 0;
  bool seen = false;   // a tick that shows nothing does not count toward the bake
  bool alive = false;  // the canary runs sessions
  std::map<std::string, Trust> trust;
  std::map<std::string, AbsoluteTick> absolute;  // by metric

  bool is_history() const { return t_s <= 0; }
  // What it says of a metric; nothing said is the tick of nobody.
  AbsoluteTick absolute_of(const std::string& metric) const;
};

StageLine tick_line(const JudgedStage& stage, const StageTick& counted, const UnitCounts& units,
                    std::int64_t t_s, const std::optional<Headroom>& headroom);

// By gate, what its baseline's groups were like in the hour before.
using GateHistory = std::map<std::string, BaselineGroups>;
// Absent: nothing is known.
std::optional<StageLine> history_line(const JudgedStage& stage, const GateHistory& by_gate);

// What is read again is what was written: a test holds it.
std::string to_json_text(const StageLine& line, const JudgedStage& stage);
StageLine line_from_json(const json::object& object, const JudgedStage& stage);
// The same of a stage whose metrics have become others since.
StageLine reshaped(const StageLine& line, const JudgedStage& from, const JudgedStage& to);

// As if nobody had said anything of these metrics.
void leave_out(const std::set<std::string>& metrics, const JudgedStage& stage, StageLine* line);

}  // namespace showcaller
