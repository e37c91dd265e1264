// SPDX-License-Identifier: Apache-2.0
// What is measured of flags.
#pragma once

#include <vector>

#include "bench/figure.h"
#include "bench/flag/flagd_core_peer.h"
#include "bench/flag/workload.h"

namespace showcaller::bench {

// CPU a question, each kind of flag in three ways: by key over a context that is there, by handle
// over an interned one, by key over one that is built for the call. `peer` may be null. A kind
// whose share of "on" is not what it must be has no rows, and says so.
std::vector<Figure> evaluation_rows(const Workload& workload, FlagdCorePeer* peer);
// Interning a context, and what it saves.
Figure interning_row(const Workload& workload);
// Parsing and compiling as many flags as a set may have.
Figure loading_row();
// Readers while the set is replaced all the time.
std::vector<Figure> swapping_rows(const Workload& workload);

}  // namespace showcaller::bench
