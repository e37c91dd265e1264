// SPDX-License-Identifier: Apache-2.0
// The words of `showcaller feature`: what services do without, by the engine's doing or by hand.
#pragma once

#include <functional>

#include "cli/client_verbs.h"

namespace CLI {
class App;
}

namespace showcaller {

void add_feature_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                       int* code);

}  // namespace showcaller
