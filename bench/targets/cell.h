// SPDX-License-Identifier: Apache-2.0
// A cell of the measurement: one world, run again and again with other seeds, and what is asked of
// the outcomes. Truth is known, so that a false rollback is one and a found fault is found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/analysis/simulated_world.h"

namespace showcaller::bench {

// What became of one stage.
struct Outcome {
  Verdict verdict = Verdict::Thin;  // the last one; a fail or a skew ends the stage
  bool passed = false;              // at any look
  double seconds = 0;               // from the fault's onset to that end; without one: infinity
  double sessions = 0;              // of the canary after warm-up, alike
  double canary_sessions = 0;       // of the canary, from second 0
};
Outcome outcome_of(const test::WorldConfig& config, std::uint64_t seed);

enum class Asked : std::uint8_t {
  RolledBack,      // % of stages
  Found,           // % of stages
  MedianSeconds,   // until the fault is found
  MedianSessions,  // of the canary after warm-up until then
  MedianHarmed,    // players beyond those that would have been harmed anyway
  Passed,          // % of stages that passed at any look
  Skewed,          // % of stages
  MedianSkewedSeconds,
};

struct Goal {
  Asked asked = Asked::RolledBack;
  double bound = -1;         // below zero: told, without a target
  double either_way = 0;     // > 0: within so much of the bound, as a ratio
  bool falls_short = false;  // known not to be met: docs/performance.md says why
};

struct Cell {
  std::string target;  // "T1"
  std::string what;
  test::WorldConfig config;
  std::vector<Goal> goals;
};

struct Estimate {
  double value = 0, low = 0, high = 0;  // with its 95 % interval
};
Estimate estimate(const Cell& cell, const Goal& goal, const std::vector<Outcome>& outcomes);
std::string_view unit_of(Asked asked);

enum class Met : std::uint8_t { NoTarget, Yes, No, SurelyNot };  // surely: the interval says so too
Met met(const Goal& goal, const Estimate& measured);

}  // namespace showcaller::bench
