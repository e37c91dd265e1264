// SPDX-License-Identifier: Apache-2.0
// The output of one game server in two files, `log` and the one before, `log.1`, which together
// never pass a bound.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/process/file_handle.h"

namespace showcaller {

class BoundedLog {
 public:
  static Result<BoundedLog> open(const std::string& folder, std::int64_t bytes_max);

  // Never fails the caller: output that cannot be written (a full disk) is lost and counted.
  void write(std::string_view bytes);
  std::uint64_t bytes_lost() const { return bytes_lost_; }

 private:
  BoundedLog(std::string path, std::int64_t half_max, FileHandle file, std::int64_t size)
      : path_(std::move(path)), half_max_(half_max), file_(std::move(file)), size_(size) {}
  void turn_over();

  std::string path_;
  std::int64_t half_max_;
  FileHandle file_;
  std::int64_t size_;
  std::uint64_t bytes_lost_ = 0;
};

}  // namespace showcaller
