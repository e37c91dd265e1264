// SPDX-License-Identifier: Apache-2.0
// Manifest files, folders of them, or standard input ("-"), read for the verbs that take them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/manifest/manifest.h"

namespace showcaller {

// *.yaml, *.yml and *.json of a folder, by name. NotFound, Invalid (nothing there), Limit.
Result<std::vector<SourceFile>> read_manifest_files(std::span<const std::string> paths);
// {"files":[{"name","text"}]}, as the API takes them.
json::object files_to_json(std::span<const SourceFile> files);

}  // namespace showcaller
