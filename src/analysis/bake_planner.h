// SPDX-License-Identifier: Apache-2.0
// What a stage can detect before it starts: sessions and minutes to see a growth, the least growth
// it can see, how many canary instances it needs. Closed form; the simulator checks it.
#pragma once

#include <cstdint>

#include "analysis/gate.h"

namespace showcaller {

struct BakeQuestion {
  double rate = 0.01;   // baseline events a unit (a session; a player-second for rates; exceedances
                        // for quantiles)
  double ratio = 2;     // the growth to detect, > 1
  double margin = 0;    // acceptable growth, as a ratio: 0.1 is 10 %
  double share = 0.05;  // of units that go to the canary
  double weight = 0.34;        // of the metric's e-value
  double score_weight = 0.32;  // of its score
  double phi = 1;
  double power = 0.8;
  GateProfile profile = GateProfile::Guaranteed;
  double strictness = 1;
  Assignment assignment = Assignment::Player;
  NoisePrior noise;  // instance assignment
  double canary_instances = 4;
  double baseline_instances = 16;
  // Measured, where a stage is already running; below zero: from the noise and the numbers of
  // instances above.
  double variance_between = -1;  // of the log ratio of the arms, for instance effects
  double nu = -1;
};

// Canary units (after warm-up) to detect the growth with this power; infinity if no bake length
// suffices.
double units_to_detect(const BakeQuestion& question);
// Canary instances from which on the growth can be detected at all; 0 if more canary instances do
// not help (the baseline has too few), 1 in player assignment.
int canary_instances_needed(const BakeQuestion& question);

struct BakeTraffic {
  double units_per_s = 0;  // both arms together
  std::int64_t planned_s = 3600;
  std::int64_t warmup_s = 150;
};

struct BakePlan {
  double units = 0;                 // canary units for the question's power
  double units_median = 0;          // for an even chance
  double seconds = 0;               // bake that gives them, warm-up included; infinity if none does
  double canary_units_planned = 0;  // what the planned bake gives
  double detectable_ratio =
      0;  // least growth seen with this power in the planned bake; infinity: none below 1000x
  double share_needed = 0;  // share that would do in the planned bake; 0: none up to one half
  int canary_instances_needed = 1;
  bool enough = false;  // the planned bake suffices
};
BakePlan plan_bake(const BakeQuestion& question, const BakeTraffic& traffic);

// 1 / alpha of the e-value, and alpha of the score: what a profile spends.
double e_threshold(GateProfile profile);
double score_alpha(GateProfile profile);

}  // namespace showcaller
