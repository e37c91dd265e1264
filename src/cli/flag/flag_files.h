// SPDX-License-Identifier: Apache-2.0
// Flags of files, without a server: manifests, or a document in flagd's language.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/world.h"

namespace showcaller {

struct FlagFiles {
  World world;  // of the manifests other than LiveEvents; of flagd's document, a Flag each
  std::vector<std::shared_ptr<const Manifest>> events;  // nobody is in them
};

// The findings are the error.
Result<FlagFiles> read_flag_files(std::span<const std::string> paths);

// Contexts of people: a JSON array, one object, or an object a line. "-": standard input.
Result<std::vector<json::object>> read_contexts(const std::string& path);

}  // namespace showcaller
