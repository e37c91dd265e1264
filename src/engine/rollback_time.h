// SPDX-License-Identifier: Apache-2.0
// How long a rollback may take. Pure.
#pragma once

#include <string>

#include "model/world.h"

namespace showcaller {

struct RollbackTime {
  Duration worst{};
  std::string bound_by;  // "the longest match of fleet raid (40m) and 10s to stop"
};
// The longest that undoing can take: the longest match or the drain, stopping, and every action.
RollbackTime rollback_at_worst(const World& world, const LiveEventSpec& spec);

// After how long a rollback counts as stuck: what the manifest says, else an hour, or longer where
// the fleets need it.
Duration rollback_within(const World& world, const LiveEventSpec& spec);

}  // namespace showcaller
