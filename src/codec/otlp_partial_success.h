// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace showcaller {

// What was not taken of an export that was taken. Nothing rejected and no message: all is well.
struct OtlpPartialSuccess {
  std::int64_t rejected = 0;
  std::string message;
};

}  // namespace showcaller
