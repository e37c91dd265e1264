// SPDX-License-Identifier: Apache-2.0
// The world's manifests, for the parser's checks of references.
#pragma once

#include <memory>

#include "model/manifest/manifest.h"
#include "model/world.h"

namespace showcaller {

// Keeps the world alive as long as the answer is.
KnownManifests known_manifests(const std::shared_ptr<const World>& world);

}  // namespace showcaller
