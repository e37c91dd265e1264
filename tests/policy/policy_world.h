// SPDX-License-Identifier: Apache-2.0
// Small worlds for the tests of policy: manifests put in place by hand, without parsing.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/time.h"
#include "model/world.h"

namespace showcaller {

inline const Instant kNoon = parse_instant("2026-12-18T12:00:00Z").value();

inline void add_policy(World* world, const std::string& name, PolicySpec spec) {
  Manifest manifest;
  manifest.name = name;
  manifest.owner = "house";
  manifest.spec = std::move(spec);
  world->manifests["Policy/" + name] = {std::make_shared<const Manifest>(std::move(manifest)), 1};
}

inline void add_fleet(World* world, const std::string& name, const std::string& owner) {
  Manifest manifest;
  manifest.name = name;
  manifest.owner = owner;
  manifest.spec = FleetSpec{};
  world->manifests["Fleet/" + name] = {std::make_shared<const Manifest>(std::move(manifest)), 1};
}

struct EventSketch {
  std::string name = "winter-raid", owner = "team-raids", author = "ann";
  Phase phase = Phase::Validated;
  Risk risk = Risk::Normal;
  bool irreversible = false;
};

inline std::shared_ptr<const Manifest> event_manifest(const EventSketch& sketch) {
  Manifest manifest;
  manifest.name = sketch.name;
  manifest.owner = sketch.owner;
  manifest.hash = to_hex(sha256(sketch.name));
  LiveEventSpec spec;
  spec.risk = sketch.risk;
  spec.changes = {Change{BuildChange{"raid", "2.4.0", {}}},
                  Change{ActionChange{"grants/open", "grants/close", "", ""}, sketch.irreversible}};
  manifest.spec = std::move(spec);
  return std::make_shared<const Manifest>(std::move(manifest));
}

inline EventState& add_event(World* world, const EventSketch& sketch) {
  EventState& event = world->events[sketch.name];
  event.manifest = event_manifest(sketch);
  event.revision = 1;
  event.author = sketch.author;
  event.phase = sketch.phase;
  event.steps.change().resize(event.spec().changes.size());
  return event;
}

}  // namespace showcaller
