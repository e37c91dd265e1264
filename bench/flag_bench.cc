// SPDX-License-Identifier: Apache-2.0
// Flags: evaluating one of a thousand for one of a thousand players, beside npm's
// @openfeature/flagd-core in the same run; loading as many as a set may have; replacing the set
// under readers. Runs in the root of the repository; without node, npm or network the peer is left
// out, and standard error says so.
#include <cstdio>

#include "bench/flag/rows.h"

int main(int argc, char** argv) {
  using namespace showcaller;
  using namespace showcaller::bench;
  const Workload workload = make_workload();
  const auto peer = FlagdCorePeer::start(workload);
  if (!peer) {
    std::fprintf(stderr, "flag: @openfeature/flagd-core is left out: %s\n",
                 peer.error().message.c_str());
  }
  std::vector<Figure> rows = evaluation_rows(workload, peer ? peer->get() : nullptr);
  const bool whole = rows.size() == 3 * kFlagKinds.size();
  rows.push_back(interning_row(workload));
  rows.push_back(loading_row());
  for (Figure& row : swapping_rows(workload)) rows.push_back(std::move(row));
  print_figures(argc, argv, rows);
  return whole ? 0 : 1;
}
