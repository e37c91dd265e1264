// SPDX-License-Identifier: Apache-2.0
#include "engine/known.h"

#include "flow/flag_snapshot.h"

namespace showcaller {

KnownManifests known_manifests(const std::shared_ptr<const World>& world) {
  KnownManifests known;
  known.find = [world](Kind kind, std::string_view name) -> const Manifest* {
    if (kind == Kind::LiveEvent) {
      const EventState* event = world->event(name);
      return event ? event->manifest.get() : nullptr;
    }
    return world->manifest(kind, name).get();  // The world holds it.
  };
  known.list = [world](Kind kind) {
    std::vector<const Manifest*> out;
    if (kind == Kind::LiveEvent) {
      world->events.each([&](const std::string&, const EventState& event) {
        out.push_back(event.manifest.get());
      });
      return out;
    }
    const std::string prefix = std::string(to_string(kind)) + "/";
    world->manifests.each_from(prefix, [&](const std::string& key, const StoredManifest& stored) {
      if (!key.starts_with(prefix)) return false;
      out.push_back(stored.manifest.get());
      return true;
    });
    return out;
  };
  known.active_events = [world] {
    std::vector<const Manifest*> out;
    world->events.each([&](const std::string&, const EventState& event) {
      if (!is_over(event.phase)) out.push_back(event.manifest.get());
    });
    return out;
  };
  known.config = [world](std::string_view document, std::int64_t version) {
    return find_config(*world, document, version);
  };
  return known;
}

}  // namespace showcaller
