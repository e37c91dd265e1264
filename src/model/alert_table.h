// SPDX-License-Identifier: Apache-2.0
// What records make of the alerts in a world. Bookkeeping only, as evolve.cc: which alerts there
// are to be is decided elsewhere.
#pragma once

#include <string>

#include "model/world.h"

namespace showcaller {

[[nodiscard]] Status open_alert(World* world, const AlertOpened& opened, const std::string& id,
                                Instant now);
[[nodiscard]] Status change_alert(World* world, const AlertChanged& changed,
                                  const std::string& actor, Instant now);
[[nodiscard]] Status note_delivery(World* world, const AlertDelivered& delivered, Instant now);

// A silence of it has ended: whoever is called is called from now on.
void restart_escalation(World* world, const std::string& subject, Instant now);

}  // namespace showcaller
