// SPDX-License-Identifier: Apache-2.0
// The verbs of the command line as a shell is told them.
#pragma once

#include <vector>

#include "cli/completion.h"

namespace CLI {
class App;
}

namespace showcaller {

// The program itself first, then its verbs.
std::vector<CompletionVerb> completion_tree(const CLI::App& program);

}  // namespace showcaller
