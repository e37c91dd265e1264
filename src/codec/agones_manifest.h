// SPDX-License-Identifier: Apache-2.0
// An Agones GameServer manifest (agones.dev/v1, as one writes it for Kubernetes) as a game server
// for a local sidecar. What a sidecar does not show (containers, templates) is passed over.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "codec/agones_game_server.h"

namespace showcaller::agones {

// Invalid when it is no object or a member that is read has another type. What it does not say
// stays as in `base`.
Result<GameServer> game_server_from_manifest(const json::value& manifest, GameServer base);

}  // namespace showcaller::agones
