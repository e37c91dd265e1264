// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/file_owner.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace showcaller {
namespace {

std::string read_owner(int descriptor) {
  char text[64] = {};
  const ssize_t size = ::pread(descriptor, text, sizeof text - 1, 0);
  std::string owner(text, size > 0 ? std::size_t(size) : 0);
  while (!owner.empty() && owner.back() == '\n') owner.pop_back();
  return owner.empty() ? "another process" : owner;
}

}  // namespace

Result<FileOwner> FileOwner::take(const std::string& path) {
  const std::string lock = path + ".lock";
  FileOwner owner;
  owner.descriptor_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (owner.descriptor_ < 0) {
    const int error = errno;
    return fail(error == ENOSPC || error == EDQUOT ? ErrorCode::Limit : ErrorCode::Unavailable,
                fmt::format("{}: {}; {}", lock, std::strerror(error),
                            error == ENOSPC || error == EDQUOT
                                ? "free some space"
                                : "check that the folder exists and may be written to"));
  }
  // flock belongs to the open file, not to the process: it also excludes a second opening by
  // ourselves.
  if (::flock(owner.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return fail(ErrorCode::Unavailable,
                  fmt::format("{}: cannot be locked: {}", lock, std::strerror(errno)));
    }
    return fail(ErrorCode::Conflict,
                fmt::format("{} is in use by {}; stop that server first, or give this one a "
                            "folder of its own",
                            path, read_owner(owner.descriptor_)));
  }
  // The text is a courtesy to people: a full disk must not keep the server from starting.
  const std::string text = fmt::format("process {}\n", ::getpid());
  if (::ftruncate(owner.descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written =
        ::pwrite(owner.descriptor_, text.data(), text.size(), 0);
  }
  return owner;
}

FileOwner::FileOwner(FileOwner&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileOwner& FileOwner::operator=(FileOwner&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileOwner::~FileOwner() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace showcaller
