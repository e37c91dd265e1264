// SPDX-License-Identifier: Apache-2.0
// Commented manifests to start from: `showcaller init KIND NAME`.
#pragma once

#include <string>
#include <string_view>

#include "model/spec/manifest.h"

namespace showcaller {

// YAML that parses without errors of its own; what it refers to (fleet, flag) has to be there or be
// renamed.
std::string init_manifest(Kind kind, std::string_view name, std::string_view owner);

}  // namespace showcaller
