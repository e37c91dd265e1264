// SPDX-License-Identifier: Apache-2.0
// Which of a few counters a thread uses, so that threads on several cores seldom share one. Follows
// from where its stack lies: stacks lie a megabyte or so apart, or more.
#pragma once

#include <cstddef>
#include <cstdint>

namespace showcaller::sdk {

// Below 2^bits, the same for a thread as long as its stack is shallow.
inline std::size_t own_stripe(int bits) {
  const char here = 0;
  const auto stack = std::uint64_t(reinterpret_cast<std::uintptr_t>(&here)) >> 20;
  return std::size_t(stack * 0x9e3779b97f4a7c15 >> (64 - bits));
}

}  // namespace showcaller::sdk
