// SPDX-License-Identifier: Apache-2.0
// What must hold in every journal, whatever happens: held against it record by record, in tests and
// at every step of a rehearsal. Knows the records and the world that they fold to, asks policies
// what they ask, and knows nothing of how the engine decides.
//
// Threads: none.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/world.h"

namespace showcaller {

class Invariants {
 public:
  // Each record, in order, from the first.
  void take(const Record& record);
  // When nothing more follows from what was taken.
  void rest();

  // A sentence for each time that something did not hold; empty: all is well.
  const std::vector<std::string>& broken() const { return broken_; }
  const World& world() const { return world_; }

 private:
  void require(bool holds, const std::string& what);
  void check_order(const Record& record);
  void check(const StageEntered& entered);
  void check(const IntakeChanged& intake);
  void check(const PhaseChanged& moved);
  void check(const StepStarted& step);
  void check(const StepFinished& step);
  void check(const VerdictChanged& verdict);
  void check(const ExposureWidened& widened);
  void check(const ServerStarted& started);
  void check(const ExposureBounded& bounded);
  void check(const FlagReopened& reopened);
  void check(const AlertOpened& opened);
  void check(const AlertChanged& changed);
  void check(const FeatureWithdrawn& withdrawn);
  void check(const FeatureReturned& returned);
  void check(const auto&) {}
  void check_end_of_stage(const EventState& event, const std::string& name);
  void check_drained(const EventState& event, const std::string& name);
  void settle_debts(const Record& record);
  void check_world();

  World world_;
  const Record* record_ = nullptr;  // the one that is being taken
  std::vector<std::string> broken_;
  std::set<std::string> keys_;
  std::map<std::string, std::set<std::string>> effects_;  // by event: paths of actions not undone
  // By event: a failed gate that nothing has followed yet, and the time by which it has to.
  std::map<std::string, std::pair<std::string, Instant>> owed_;
  // By event: when its stage began, moved on by what the server was away since.
  std::map<std::string, Instant> baking_since_;
};

}  // namespace showcaller
