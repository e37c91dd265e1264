// SPDX-License-Identifier: Apache-2.0
// A change on its way down a tree of relays, from what was measured at each hop. Pure.
//
// A relay gets the change when its server has written to it: a time out of those that a server with
// many readers took. Below it a change is one that was measured at a relay, with all its readers
// together, so that a slow moment is slow for all of them. What was measured at the relay has the
// server's hop in it already, so the sum errs to the slow side.
#pragma once

#include <cstdint>
#include <vector>

namespace showcaller::bench {

struct RelayTree {
  int relays = 50, clients = 10'000, changes = 10;
  std::uint64_t seed = 1;
};

// Milliseconds to each client of each relay, for each change. `server` and `relay`: of each
// measured change, what each reader took.
std::vector<double> simulate(const RelayTree& tree, const std::vector<std::vector<double>>& server,
                             const std::vector<std::vector<double>>& relay);

}  // namespace showcaller::bench
