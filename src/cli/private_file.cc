// SPDX-License-Identifier: Apache-2.0
#include "cli/private_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSecretBytes = 32;

}  // namespace

Status write_private(const fs::path& path, std::string_view text) {
  const fs::path part = path.string() + ".part";
  const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = file >= 0 && write(file, text.data(), text.size()) == ssize_t(text.size()) &&
                       fsync(file) == 0 && rename(part.c_str(), path.c_str()) == 0;
  const int error = errno;
  if (file >= 0) close(file);
  if (!written) {
    return fail(error == ENOSPC || error == EDQUOT ? ErrorCode::Limit : ErrorCode::Unavailable,
                fmt::format("{} can't be written: {}; check the folder's owner and space",
                            path.string(), std::strerror(error)));
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

Result<std::string> open_secret(const fs::path& data, std::uint64_t journal_seq) {
  const fs::path path = data / "secret";
  std::ifstream file(path);
  std::string hex;
  if (file) {
    std::getline(file, hex);
    const auto secret = from_hex(hex);
    if (secret && secret->size() == kSecretBytes) return secret;
    return fail(ErrorCode::Corrupt,
                fmt::format("{} is not {} bytes in hex; put it back from a backup", path.string(),
                            kSecretBytes));
  }
  if (journal_seq > 0) {
    return fail(ErrorCode::NotFound,
                fmt::format("{} can't be read, and the journal has {} records: with another secret "
                            "every player would be assigned anew; put it back from a backup (the "
                            "folder that `showcaller backup` makes holds it)",
                            path.string(), journal_seq));
  }
  std::string secret(kSecretBytes, '\0');
  randombytes_buf(secret.data(), secret.size());
  TRY(write_private(path, to_hex(secret) + "\n"));
  return secret;
}

}  // namespace showcaller
