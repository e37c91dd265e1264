// SPDX-License-Identifier: Apache-2.0
// The manifest files of a request's body.
//
//   body  = { "files": [ { "name": TEXT, "text": TEXT }, … ] }   JSON; findings name the file
//         | any YAML or JSON text                                one file, "manifests"
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/manifest/finding.h"

namespace showcaller {

// Invalid: `files` is there, and is no list of named texts.
Result<std::vector<SourceFile>> manifest_sources(std::string_view body);

}  // namespace showcaller
