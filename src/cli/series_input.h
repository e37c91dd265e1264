// SPDX-License-Identifier: Apache-2.0
// Where `forecast` and `anomaly` read a series from: a file, or "-" for standard input. Errors name
// the file.
#pragma once

#include <fstream>
#include <iostream>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/result.h"
#include "base/time.h"

namespace showcaller {

// --step; empty: none.
inline Result<std::optional<Duration>> parse_step(const std::string& text) {
  if (text.empty()) return std::nullopt;
  TRY(const Duration step, parse_duration(text));
  if (step < seconds(1))
    return fail(ErrorCode::Invalid, "--step is under a second; the shortest step is 1s");
  return step;
}

template <class Read>
auto with_series_input(const std::string& path, Read read) -> decltype(read(std::cin)) {
  const std::string name = path.empty() || path == "-" ? "standard input" : path;
  std::ios::sync_with_stdio(false);
  std::ifstream file;
  if (name == path) {
    file.open(path);
    if (!file) return fail(ErrorCode::Invalid, name + " can't be read; check its name and rights");
  }
  try {
    auto result = read(name == path ? static_cast<std::istream&>(file) : std::cin);
    if (!result) result.error().message = name + ": " + result.error().message;
    return result;
  } catch (const std::ios_base::failure&) {  // a folder, or a disk that fails while it is read
    return fail(ErrorCode::Invalid, name + " can't be read to its end; is it a file?");
  }
}

}  // namespace showcaller
