// SPDX-License-Identifier: Apache-2.0
// Files that only their owner may read.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace showcaller {

// Whole or not at all, durable when it returns.
Status write_private(const std::filesystem::path& path, std::string_view text);
// The folder and its parents. One that is made is for its owner alone; one that is there stays as
// it is.
Status make_private_folder(const std::filesystem::path& path);

}  // namespace showcaller
