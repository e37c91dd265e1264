// SPDX-License-Identifier: Apache-2.0
// The words of `showcaller incident`.
#pragma once

#include <functional>

#include "cli/client_verbs.h"

namespace CLI {
class App;
}

namespace showcaller {

void add_incident_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                        int* code);

}  // namespace showcaller
