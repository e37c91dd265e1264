// SPDX-License-Identifier: Apache-2.0
// The words of `showcaller alert`: what is wrong, who looks after it, what is silent.
#pragma once

#include <functional>

#include "cli/client_verbs.h"

namespace CLI {
class App;
}

namespace showcaller {

void add_alert_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                     int* code);

// A line of each alert that fires, for `status`; nothing where none does.
void say_firing_alerts(const json::array& alerts);

}  // namespace showcaller
