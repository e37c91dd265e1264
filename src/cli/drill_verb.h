// SPDX-License-Identifier: Apache-2.0
// `showcaller drill run`: plays a Drill in the simulator, or on a server's staging fleet, and says
// which of the expected responses came in time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/client_verbs.h"
#include "cli/terminal.h"

namespace showcaller {

struct DrillRequest {
  std::vector<std::string> paths;  // of the Drill, and all that its event needs
  std::string drill;               // empty: the files' only one
  std::string population;          // a file; empty: the drill's own, else as the fleets suggest
  std::uint64_t seed = 1;
  std::string at;       // when the event is applied
  bool story = false;   // its records, a line each
  std::string against;  // a server's URL: on its staging fleet
  OutputForm form = OutputForm::Table;
};

// Exit codes: 0 every response came in time, 1 one did not, 2 cannot be played, 3 stopped.
int drill_verb(const DrillRequest& request);
// On the server of the context: applies the files, begins the drill, waits for its end.
int drill_against_verb(const ClientContext& context, const DrillRequest& request);
int stop_drill_verb(const ClientContext& context, const std::string& drill);

// A report as a person reads it; the same of both forms.
void say_drill(const std::string& name, const json::object& report);
int drill_exit_code(std::string_view verdict);

}  // namespace showcaller
