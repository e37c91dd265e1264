// SPDX-License-Identifier: Apache-2.0
// A SQLite database copied beside whoever writes it, as one plain file.
#pragma once

#include <string>

#include "base/result.h"

namespace showcaller {

// `to` is made, for its owner alone. Limit: the disk is full.
[[nodiscard]] Status copy_database(const std::string& from, const std::string& to);
// Without a log beside it, so that it can be read where nothing may be written.
[[nodiscard]] Status make_one_file(const std::string& path);
// The file, and what SQLite keeps beside it.
void remove_database(const std::string& path);

}  // namespace showcaller
