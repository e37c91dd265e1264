// SPDX-License-Identifier: Apache-2.0
// Files of the server's folder that only its owner may read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace showcaller {

// Whole or not at all, on disk before it returns.
[[nodiscard]] Status write_private(const std::filesystem::path& path, std::string_view text);
// The folder and its parents. One that is made is for its owner alone; one that is there stays as
// it is.
[[nodiscard]] Status make_private_folder(const std::filesystem::path& path);
// DATA/secret, from which exposure salts come: kept as long as the journal, never in it. A journal
// without records gets a new one. NotFound: the journal has records, and another secret would
// assign every unit anew. Corrupt: the file is damaged.
[[nodiscard]] Result<std::string> open_secret(const std::filesystem::path& data,
                                              std::uint64_t journal_seq);

}  // namespace showcaller
