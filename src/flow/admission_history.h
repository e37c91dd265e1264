// SPDX-License-Identifier: Apache-2.0
// Whom a revision of an event ever admitted to its flags and configuration, and at which stage: the
// rules that were in force, read from the event's own records. What clients evaluate by themselves
// and do not report can only be known like this.
//
// Threads: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flow/flag_reach.h"
#include "model/world.h"

namespace showcaller {

struct StageAdmission {
  std::int64_t visit = 0;
  std::string stage;
  Instant at{};  // when the rule came into force, not when anybody asked
  friend bool operator==(const StageAdmission&, const StageAdmission&) = default;
};

class AdmissionHistory {
 public:
  AdmissionHistory(std::string event, std::int64_t revision, std::string salt)
      : event_(std::move(event)), revision_(revision), salt_(std::move(salt)) {}

  // Each record of the event, in order, from its first.
  Status add(Record record);
  // The first time in each visit that somebody was admitted.
  std::vector<StageAdmission> of(const EvaluationContext& who) const;
  // They lack what the event's shares are drawn by, such as a party: they can't be told from here.
  bool knows_no_unit_of(const EvaluationContext& who) const;

 private:
  struct Rule {
    StageAdmission in_force;
    FlagReach reach;
    std::string text;
  };

  std::string event_;
  std::int64_t revision_;
  std::string salt_;
  World world_;  // of this event alone
  std::vector<Rule> rules_;
};

}  // namespace showcaller
