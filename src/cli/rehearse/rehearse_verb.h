// SPDX-License-Identifier: Apache-2.0
// `showcaller rehearse`: plays a manifest many times in the simulator, and says what to expect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/client_verbs.h"

namespace showcaller {

struct RehearseRequest {
  std::vector<std::string> paths;
  std::string event;       // empty: the files' only one
  std::string population;  // a file; empty: as the fleets suggest
  std::string curve;       // a CSV of players over time
  int runs = 0;            // 0: 60, as far as they fit into `within`
  std::string within;      // after so long no more are begun; empty: 2m, or none if runs are said
  bool full = false;       // 300 clean runs, and as many of what harms players as bound it to 2 %
  std::string level = "auto";       // or "session", "evidence"
  std::vector<std::string> faults;  // empty: the usual
  std::uint64_t seed = 1;
  std::string watch;     // how long it is watched once it is live: "6h", "end"; empty: minutes
  std::string at;        // when it is applied; empty: before its schedule, or now
  int threads = 0;       // 0: as many as there are cores
  bool story = false;    // one run: its records, a line each
  std::string html;      // writes the report there
  bool record = false;   // tells the server which gates are proven
  bool publish = false;  // has the server keep the report
  ClientContext server;
  OutputForm form = OutputForm::Table;
};

// Exit codes: sim/rehearsal.h, and 2 for what cannot be rehearsed; with `record` or `publish` also
// those of the verbs that speak to a server.
int rehearse_verb(const RehearseRequest& request);

}  // namespace showcaller
