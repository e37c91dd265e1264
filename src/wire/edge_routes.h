// SPDX-License-Identifier: Apache-2.0
// The rows of the API that games and game servers use, at a server or at a relay: flags and
// reports. docs/flags.md and docs/telemetry.md tell them from the outside.
#pragma once

#include <string_view>

#include "wire/edge_backend.h"
#include "wire/flag_selections.h"
#include "wire/flagd/flag_feed.h"
#include "wire/flagd/flag_streams.h"
#include "wire/metrics.h"
#include "wire/router.h"

namespace showcaller {

class FlagUpdates;

inline constexpr std::string_view kFlagStreamPath = "/api/v1/flags/stream";

struct EdgePorts {
  EdgeBackend* backend = nullptr;
  MetricsRegistry* metrics = nullptr;
  // Who tells of changed flags; null: nobody does.
  FlagFeed* flag_feed = nullptr;
  const FlagSelections* selections = nullptr;  // null: selectors are not understood
  FlagStreams* flag_streams = nullptr;
  FlagUpdates* flag_updates = nullptr;
};

void add_edge_routes(Router* router, const EdgePorts& ports);

}  // namespace showcaller
