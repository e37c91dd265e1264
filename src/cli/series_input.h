// SPDX-License-Identifier: Apache-2.0
// What `forecast` and `anomaly` are told of the series that they read.
#pragma once

#include <optional>
#include <string>

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

}  // namespace showcaller
