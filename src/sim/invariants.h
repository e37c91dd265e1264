// SPDX-License-Identifier: Apache-2.0
// What always holds, whatever goes wrong: followed record by record and session by session, in
// rehearsals and in tests. A violation is a sentence with the record it happened at.
//
// - the chain goes on by one, in time that never goes back; a key causes records once
// - exposure is never above the stage's share, grows by one stage, and not while the event is held,
//   its line stopped or frozen, or a revision of it waits for approval; approvals are never
//   bypassed
// - a party that was let in stays in while exposure does not shrink; it plays whole
// - no session goes to an instance that drains or is quarantined
// - a gate that rolls back closes intake in the same breath; steps go forward in order, backward in
//   reverse; what was done is undone when an event ends undone; a rollback that ends stuck names
//   its step and pages
// - folding the records from the first again gives the live world
// Threads: none.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compute/allocation.h"
#include "model/world.h"

namespace showcaller::sim {

class Invariants {
 public:
  void follow(const Record& record);
  // A session that got a place; `party` is as it was bucketed.
  void follow_session(const World& published, const std::string& fleet, const std::string& instance,
                      const std::string& party, const std::vector<ArmAssignment>& arms);
  // Of what was followed so far and the live world.
  void compare(const World& live);

  const std::vector<std::string>& violations() const { return violations_; }
  const World& world() const { return shadow_; }

 private:
  // What a stage visit was, when it began.
  struct Visit {
    int stage = -1;
    std::int64_t exposure_ppm = 0;
  };
  void violated(const std::string& what, const Record& record);
  void violated(std::string what);
  void check_chain(const Record& record);
  void check_growth(const StageEntered& entered, const Record& record);
  void check_phase(const PhaseChanged& moved, const Record& record);
  void check_intake(const IntakeChanged& changed, const Record& record);
  void check_step(const StepStarted& step, const Record& record);
  void note_effect(const StepFinished& step);
  void check_exposure(const std::string& name, const Record& record);
  void check_fails_are_answered(const Record& record);

  World shadow_;
  std::set<std::string> keys_;
  std::map<std::string, std::set<std::string>> effects_;  // by event: paths of actions not undone
  std::map<std::pair<std::string, std::int64_t>, Visit> visits_;
  // Event and party: the last visit in which it was on the canary.
  std::map<std::pair<std::string, std::string>, std::int64_t> let_in_;
  std::set<std::string> failing_;  // events with a fail that rolls back, not yet answered
  Instant failing_since_{};
  std::vector<std::string> violations_;
};

}  // namespace showcaller::sim
