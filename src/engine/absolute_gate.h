// SPDX-License-Identifier: Apache-2.0
// A gate against a number instead of a baseline: the canary's own rate, quantile or level. Pure.
//
// Shares and rates are judged by mixture e-values against "at most the number", valid at any look;
// a level, such as headroom, is what it was last seen to be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "analysis/gate.h"
#include "base/json.h"
#include "engine/gate_plan.h"
#include "evidence/histogram.h"

namespace showcaller {

struct AbsoluteCounts {
  std::int64_t n = 0, x = 0;
  std::optional<ExponentialHistogram> histogram;
  std::optional<double> level;
};

struct AbsoluteReading {
  Verdict verdict = Verdict::Blind;
  json::object statistics;
  std::string why;
};

AbsoluteReading judge_absolute(const AbsoluteGate& gate, const AbsoluteCounts& counts);

}  // namespace showcaller
