// SPDX-License-Identifier: Apache-2.0
// Files as the process driver uses them: a descriptor that closes itself, small files written
// whole, folders removed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace showcaller {

class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~FileHandle() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// "what PATH: strerror(errno)".
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view what, std::string_view path);

// Written beside the file, then renamed over it: a reader sees the old or the new, never half.
Status write_file_whole(const std::string& path, std::string_view bytes);
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);
// The folder and its parents, for its owner alone; or others may pass through it too, to what is
// theirs, but not look into it.
enum class FolderAccess { Owner = 0700, Passage = 0711 };
Status make_folder(const std::string& path, FolderAccess access = FolderAccess::Owner);
// The folder and all in it; absent is fine.
Status remove_folder(const std::string& path);

// Opens the file and takes its lock. Without a value: somebody holds it.
Result<FileHandle> try_lock_file(const std::string& path);

// A unix socket below a folder whose path may be longer than a socket address allows.
Result<FileHandle> listen_unix(const std::string& folder, const std::string& name);
Result<FileHandle> connect_unix(const std::string& folder, const std::string& name);

}  // namespace showcaller
