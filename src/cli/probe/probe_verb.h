// SPDX-License-Identifier: Apache-2.0
// `showcaller probe`: how probes stand, one journey at once, and the prober of a region.
#pragma once

#include <string>
#include <vector>

#include "cli/client_verbs.h"

namespace showcaller {

struct ProbeRequest {
  std::vector<std::string> names;  // of probes; empty: all of the region
  std::string region;              // empty, with --once: nowhere in particular
  bool once = false;               // one journey each, told and not reported
};

// Exit code of --once: 0 when all journeys were good, 1 when one was not. Without it: until a
// signal.
int run_probes_verb(const ClientContext& context, const ProbeRequest& request);

}  // namespace showcaller
