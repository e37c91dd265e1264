// SPDX-License-Identifier: Apache-2.0
// What always holds in a rehearsal: what must hold in its journal (engine/invariants.h), and beside
// it, of sessions:
// - a party that was let in stays in while exposure does not shrink; it plays whole
// - no session goes to an instance that drains or is quarantined, or to an event that lets none in
// - whoever was let in stands in the ledger
// of services: that an action happens once, and not at all where it was undone; and that no record
// that was there is gone, and folding them from the first gives the live world. Threads: none.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "compute/allocation.h"
#include "engine/invariants.h"
#include "flow/port/journal.h"
#include "flow/port/ledger.h"
#include "sim/virtual_services.h"

namespace showcaller::sim {

class RehearsalInvariants {
 public:
  void follow(const Record& record);
  // The journal's record of a seq that was followed before: it is as it was.
  void find_again(std::uint64_t seq, const Sha256& then, const StoredRecord* now);
  // A session that got a place; its party is as it was bucketed.
  void follow_session(const World& published, const AllocationRequest& request,
                      const Allocation& allocation);
  // What services did up to now: nothing twice, and of an event that is over undone nothing that
  // is left.
  void check_effects(std::span<const ActionEffect> effects);
  // Of what was followed so far and the live world.
  void compare(const World& live);
  void compare(Ledger* ledger);

  // A sentence each, the first few.
  std::vector<std::string> violations() const;

 private:
  // What a stage visit was, when it began.
  struct Visit {
    int stage = -1;
    std::int64_t exposure_ppm = 0;
  };
  void violated(std::string what);
  void check_place(const World& published, const Allocation& allocation, const std::string& party);
  void check_arm(const World& published, const ArmAssignment& arm, const std::string& party);

  Invariants journal_;
  std::map<std::pair<std::string, std::int64_t>, Visit> visits_;
  // Event and party: the last visit in which it was on the canary.
  std::map<std::pair<std::string, std::string>, std::int64_t> let_in_;
  // Event and revision: who was let in.
  std::map<std::pair<std::string, std::int64_t>, std::set<std::string>> exposed_;
  std::vector<std::string> violations_;
};

}  // namespace showcaller::sim
