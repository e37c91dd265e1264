// SPDX-License-Identifier: Apache-2.0
// What rollouts have taught of how much a fleet's instances differ, metric by metric: the prior of
// the next stage's gates. Kept in a stream of the evidence store for each fleet
// ("fleet/raid/noise"), a line for each stage that ended:
//
//   line = {"rollout": "winter-raid/r1", "learned": {METRIC: {"tau": sd, "nu": degrees of
//   freedom}}}
//
// The stages of one rollout see the same instances, in overlapping hours: each begins with what
// other rollouts taught, and the last line of a rollout stands for it. What is not kept any more,
// or can't be read, is the prior of an unknown service.
//
// Limits: 64 metrics a line; two rollouts a fleet in memory. Threads: none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/gate.h"
#include "engine/gate_plan.h"
#include "flow/port/evidence_store.h"

namespace showcaller {

class LearnedNoise {
 public:
  using Priors = std::map<std::string, NoisePrior>;  // by metric

  explicit LearnedNoise(EvidenceStore* store) : store_(store) {}

  // What other rollouts than the stage's own have taught.
  Priors priors_of(const JudgedStage& stage, std::vector<Error>* errors);
  // The stage has ended.
  void learn(const JudgedStage& stage, const GateState& gate, std::vector<Error>* errors);

 private:
  struct Lesson {
    std::string rollout;
    Priors priors;
  };
  using Lessons = std::vector<Lesson>;  // the newest of each rollout, the newest last

  Lessons& lessons_of(const std::string& fleet, std::vector<Error>* errors);

  EvidenceStore* store_;
  std::map<std::string, Lessons> lessons_;  // by fleet
};

}  // namespace showcaller
