// SPDX-License-Identifier: Apache-2.0
#include "model/lifecycle.h"

#include <fmt/format.h>

namespace showcaller {

std::string lifecycle_page() {
  std::string page =
      "# The life of a LiveEvent\n\n"
      "Printed from `src/model/lifecycle.h` by `showcaller docs lifecycle`; a test compares the "
      "two.\n"
      "*Held* is a condition beside the phase: gates, end time and rollback stay alive under it.\n";
  for (int input = 0; input < kPhaseInputs; ++input) {
    page += fmt::format("\n## {}\n\n| in | leads to |\n|---|---|\n", enum_name(PhaseInput(input)));
    for (const LifecycleRow& row : kLifecycle) {
      if (int(row.input) != input) continue;
      std::string phases;
      for (int phase = 0; phase < kPhases; ++phase) {
        if ((row.phases & (1u << phase)) == 0) continue;
        phases += fmt::format("{}{}", phases.empty() ? "" : ", ", enum_name(Phase(phase)));
      }
      page += row.outcome.allowed
                  ? fmt::format("| {} | **{}** |\n", phases, enum_name(row.outcome.to))
                  : fmt::format("| {} | refused: {} |\n", phases, row.outcome.refusal);
    }
  }
  return page;
}

}  // namespace showcaller
