// SPDX-License-Identifier: Apache-2.0
// Owning a file for as long as the process lives: a lock on FILE.lock beside it, which the kernel
// lets go of when the process ends, however it ends. The lock file stays and names the last owner.
#pragma once

#include <string>

#include "base/result.h"

namespace showcaller {

class FileOwner {
 public:
  // Conflict: another process (or another object of this one) owns the file; the message names its
  // process.
  static Result<FileOwner> take(const std::string& path);

  FileOwner() = default;
  FileOwner(FileOwner&& other) noexcept;
  FileOwner& operator=(FileOwner&& other) noexcept;
  ~FileOwner();

  bool owns() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

}  // namespace showcaller
