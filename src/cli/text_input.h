// SPDX-License-Identifier: Apache-2.0
// Where verbs read lines from: a file, or "-" for standard input. Errors name the file.
#pragma once

#include <fstream>
#include <iostream>
#include <string>

#include "base/result.h"

namespace showcaller {

template <class Read>
auto with_text_input(const std::string& path, Read read) -> decltype(read(std::cin)) {
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
