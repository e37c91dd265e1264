// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/bounded_log.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace showcaller {
namespace {

constexpr int kOpenFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;

}  // namespace

Result<BoundedLog> BoundedLog::open(const std::string& folder, std::int64_t bytes_max) {
  const std::string path = folder + "/log";
  FileHandle file(::open(path.c_str(), kOpenFlags, 0600));
  if (!file) return fail_errno("open", path);
  struct stat stat{};
  if (::fstat(file.get(), &stat) != 0) return fail_errno("stat", path);
  return BoundedLog(path, std::max<std::int64_t>(bytes_max / 2, 1024), std::move(file),
                    stat.st_size);
}

void BoundedLog::turn_over() {
  ::rename(path_.c_str(), (path_ + ".1").c_str());
  FileHandle next(::open(path_.c_str(), kOpenFlags, 0600));
  if (!next) return;  // Goes on in the old file, which is now log.1; better than nothing.
  file_ = std::move(next);
  size_ = 0;
}

void BoundedLog::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (size_ >= half_max_) turn_over();
    if (size_ >= half_max_) {
      bytes_lost_ += bytes.size();
      return;
    }
    const std::size_t room = std::size_t(half_max_ - size_);
    const ssize_t n = ::write(file_.get(), bytes.data(), std::min(room, bytes.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      bytes_lost_ += bytes.size();
      return;
    }
    size_ += n;
    bytes.remove_prefix(std::size_t(n));
  }
}

}  // namespace showcaller
