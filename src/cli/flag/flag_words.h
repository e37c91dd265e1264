// SPDX-License-Identifier: Apache-2.0
// The words of `showcaller flag`.
#pragma once

#include <functional>

#include "cli/client_verbs.h"

namespace CLI {
class App;
}

namespace showcaller {

// What acts sets *code, as the other verbs' callbacks do. `context` gives what every verb may be
// told, once the words are read.
void add_flag_words(CLI::App* app, const std::function<const ClientContext&()>& context, int* code);

}  // namespace showcaller
