// SPDX-License-Identifier: Apache-2.0
// What a service does without while it is under stress: its features go one by one, the least
// important first, and come back one by one in the reverse order. Pure.
//
// A service is under stress while any sign of it is over its limit: an error budget burns at least
// `burn` times as fast as it may, a fleet's headroom is below `headroom`, the breaker of a service
// that it needs is open. Signs have hysteresis: once under stress, it is so until burn is below
// half of its limit, headroom at least one and a half times of it, and the breakers are closed.
//
// A feature goes after stress has lasted `after`, one comes back after calm has lasted `calm`, and
// between two moves of a service lies `dwell`. What is not known changes nothing: a sign that was
// over and is not shown any more keeps the stress, and takes nothing more away.
//
// What somebody took by hand stays away until somebody gives it back; what somebody gave back under
// stress stays until that stress is over. Both are moves, after which the engine waits for `dwell`.
//
// Threads: none.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/world.h"

namespace showcaller {

// Whether somebody has to look at this service at all: it has a feature that can be withdrawn, or
// one that is.
bool may_degrade(const ServiceSpec& spec, const ServiceState* state);

// Over its limit, for a service that is under stress already or not.
bool is_over_limit(const StressSign& sign, bool stressed);

// What follows for the service from what was measured; dependencies are added from the world. At
// most one record: stress that begins or ends, or a feature that goes or comes back. `name` may be
// of a service whose manifest is gone: then its features come back.
std::optional<Payload> degradation_move(const World& world, const std::string& name,
                                        std::span<const StressSign> measured, Instant now);

// "headroom of raid is 4.0 % (limit 10.0 %)".
std::string sign_text(const StressSign& sign);

}  // namespace showcaller
