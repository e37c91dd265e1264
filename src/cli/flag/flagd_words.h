// SPDX-License-Identifier: Apache-2.0
// The words of `showcaller flagd`: flagd's own options, also from FLAGD_* in the environment and
// from a configuration file.
#pragma once

#include <memory>

namespace CLI {
class App;
}

namespace showcaller {

// What acts sets *code, as the other verbs' callbacks do.
void add_flagd_words(CLI::App* app, int* code);

}  // namespace showcaller
