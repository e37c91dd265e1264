// SPDX-License-Identifier: Apache-2.0
// What a manifest has to satisfy beyond its types: within itself, and towards the others it refers
// to.
#pragma once

#include "model/manifest/references.h"

namespace showcaller::manifest {

constexpr std::size_t kGatesPerStageMax = 64;

// Checks one manifest of any kind; findings carry places in draft.root.
void validate_manifest(Reader& reader, const Draft& draft, const References& references);
// Warns of keys that nothing acts on.
void say_unserved(Reader& reader, const Draft& draft);
void validate_live_event(Reader& reader, const Draft& draft, const References& references);
void validate_probe(Reader& reader, const Draft& draft, const References& references);
// A metric that probes make (model/probe_metrics.h) needs its probe: declared, or reported by
// others.
void check_probe_of_metric(Reader& reader, const References& references, const Node& root,
                           std::string_view path, std::string_view metric);
void validate_drill(Reader& reader, const Draft& draft, const References& references);
// Layers of the files' events against each other and against those in force.
void validate_layers(Reader& reader, const std::vector<const Draft*>& events,
                     const References& references);

}  // namespace showcaller::manifest
