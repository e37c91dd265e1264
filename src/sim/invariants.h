// SPDX-License-Identifier: Apache-2.0
// What always holds in a rehearsal: what must hold in its journal (engine/invariants.h), and beside
// it, of sessions:
// - a party that was let in stays in while exposure does not shrink; it plays whole
// - no session goes to an instance that drains or is quarantined
// and that folding the records from the first gives the live world. Threads: none.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compute/allocation.h"
#include "engine/invariants.h"

namespace showcaller::sim {

class RehearsalInvariants {
 public:
  void follow(const Record& record);
  // A session that got a place; `party` is as it was bucketed.
  void follow_session(const World& published, const std::string& fleet, const std::string& instance,
                      const std::string& party, const std::vector<ArmAssignment>& arms);
  // Of what was followed so far and the live world.
  void compare(const World& live);

  // A sentence each, the first few.
  std::vector<std::string> violations() const;

 private:
  // What a stage visit was, when it began.
  struct Visit {
    int stage = -1;
    std::int64_t exposure_ppm = 0;
  };
  void violated(std::string what);

  Invariants journal_;
  std::map<std::pair<std::string, std::int64_t>, Visit> visits_;
  // Event and party: the last visit in which it was on the canary.
  std::map<std::pair<std::string, std::string>, std::int64_t> let_in_;
  std::vector<std::string> violations_;
};

}  // namespace showcaller::sim
