// SPDX-License-Identifier: Apache-2.0
// Flags as they are, were and will be: asked of a server's world, of its journal, and of schedules.
//
// Threads: any. Past worlds are folded from the journal's first record on.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "engine/stale_flags.h"
#include "flow/flag_layers.h"
#include "flow/port/journal.h"

namespace showcaller {

struct PastFlags {
  const World& world;  // as it is
  Journal& journal;
  const FlagSaltOf& salt_of;
  Instant wall;  // now

  // {"context"?:{…},"at"?:TIME,"revision"?:N} → what docs/flags.md says of `flag eval`. A revision
  // is the generation of the flag's manifest.
  Result<json::value> evaluate(std::string_view flag, const json::object& request) const;
  // The document that servers got, get or will get.
  Result<json::value> document(std::string_view at) const;

 private:
  Result<World> world_at(std::string_view at, Instant* when, std::vector<std::string>* notes) const;
  Status take_revision(World* world, std::string_view flag, std::int64_t revision) const;
};

// When the flags of the manifests last changed, and which events over them are over.
Result<std::map<std::string, FlagPast>> flag_pasts(const World& world, Journal& journal);

}  // namespace showcaller
