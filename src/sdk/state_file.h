// SPDX-License-Identifier: Apache-2.0
// The last good flags on disk, so that a game starts with them when no server answers.
//
//   file = {"etag": text, "document": flag definitions}, replaced as a whole: never half of it
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace showcaller::sdk {

struct SavedFlags {
  std::string etag;
  json::value document;
};

// NotFound when there is no file yet.
Result<SavedFlags> load_saved_flags(const std::string& path);
Status save_flags(const std::string& path, const SavedFlags& flags);

}  // namespace showcaller::sdk
