// SPDX-License-Identifier: Apache-2.0
// Counts what the program takes from the heap with `new`. For one source of a test program: it
// replaces the operators.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace showcaller::test {

inline std::atomic<std::int64_t> allocations{0};

}  // namespace showcaller::test

void* operator new(std::size_t size) {
  ++showcaller::test::allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++showcaller::test::allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
