// SPDX-License-Identifier: Apache-2.0
// What a relay asks of what is above it, a server or another relay: who may do what, which flags
// are whose, and that it hears what happened below while the line was cut. docs/relay.md tells it
// from the outside.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "flag/flag_switchboard.h"
#include "flow/port/ledger.h"
#include "wire/router.h"

namespace showcaller {

// Moves of kill switches that were made below.
struct MovesBelow {
  std::string place;  // the relay that tells them
  std::vector<FlagMoves> flags;
};

struct RelayPorts {
  // What a relay that asks is told: cli/relay/relay_state.h has its shape.
  std::function<json::value(const RequestContext&)> state;
  std::function<void(MovesBelow, const std::shared_ptr<const RequestContext>&, Answer)> hear;
  std::function<void(std::vector<LedgerEntry>)> exposed;
};

void add_relay_routes(Router* router, const RelayPorts& ports);

inline constexpr std::string_view kRelayStatePath = "/api/v1/relay";
inline constexpr std::string_view kRelayMovesPath = "/api/v1/relay/moves";
inline constexpr std::string_view kRelayExposedPath = "/api/v1/relay/exposed";

// A row as a relay tells it: {"event","revision","visit","region"?,"player","at"}.
json::object relayed_exposure(const LedgerEntry& entry);

}  // namespace showcaller
