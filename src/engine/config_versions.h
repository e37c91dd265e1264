// SPDX-License-Identifier: Apache-2.0
// Versions of configuration documents: what may become one, and the way back to one.
#pragma once

#include <string>

#include "base/json.h"
#include "engine/decide.h"

namespace showcaller {

// One version has one content, whoever gives it.
Status check_config_version(const World& world, const Manifest& config);
// Back to a version that is kept.
Result<Decision> decide_config_undo(const World& world, const ConfigUndoCommand& command);

// {"config","version","versions":[{"version","hash","value"}…]}, the newest first. NotFound: no
// such document.
Result<json::value> config_view(const World& world, std::string_view config);

}  // namespace showcaller
