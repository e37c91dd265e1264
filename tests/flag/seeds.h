// SPDX-License-Identifier: Apache-2.0
// SHOWCALLER_SEED and SHOWCALLER_ROUNDS choose other random rules, and how many.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace showcaller {

inline std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : fallback;
}

}  // namespace showcaller
