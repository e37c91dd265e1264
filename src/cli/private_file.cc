// SPDX-License-Identifier: Apache-2.0
#include "cli/private_file.h"

#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace showcaller {

Status write_private(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path part = path.string() + ".part";
  const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = file >= 0 && write(file, text.data(), text.size()) == ssize_t(text.size()) &&
                       fsync(file) == 0;
  if (file >= 0) close(file);
  if (!written || rename(part.c_str(), path.c_str()) != 0) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("{} can't be written; check the folder's owner and space", path.string()));
  }
  return {};
}

Status make_private_folder(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::create_directories(path, error)) chmod(path.c_str(), 0700);
  if (!error) return {};
  return fail(ErrorCode::Unavailable,
              fmt::format("{} can't be made: {}; choose another folder with --data", path.string(),
                          error.message()));
}

}  // namespace showcaller
