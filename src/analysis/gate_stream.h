// SPDX-License-Identifier: Apache-2.0
// `gate judge`: holds the gate against recorded evidence. Reads JSON Lines, prints JSON Lines;
// docs/gate-judge.md is the format, version 1. Pure but for the streams handed in.
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <string_view>

#include "analysis/gate.h"
#include "base/json.h"
#include "base/result.h"

namespace showcaller {

// Exit codes of `gate judge`. Scripts use them. Never renumber.
enum JudgeExit : int {
  kJudgePass = 0,
  kJudgeFail = 1,
  kJudgeMalformed = 2,  // the input is not a recorded stage; the error says line and field
  kJudgeThin = 3,
  kJudgeBlind = 4,
  kJudgeSkewed = 5,
};
int judge_exit_of(Verdict verdict);

// The first line. Errors name the field's path. `warning` receives a note on keys that are not
// known, if any.
Result<GateConfig> gate_config_from_json(const json::value& header, std::string* warning = nullptr);
json::value to_json(const GateConfig& config);

// {"error":{"e":412.3,"ratio":2.1,"verdict":"fail",...},...}
json::object metrics_to_json(const GateLook& look);

// Judges one stage. Writes a line when the verdict changes and a last line with the final one; on
// fail it ends at that tick. Malformed input: one line on `err`, nothing final on `out`.
int judge_stream(std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace showcaller
