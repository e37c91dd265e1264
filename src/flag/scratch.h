// SPDX-License-Identifier: Apache-2.0
// Memory and effort of one evaluation: a bump allocator that starts on the stack, and a budget for
// both.
//
// Threads: one. Limits: bytes_max and steps_max; past either the evaluation fails and says so.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "flag/value.h"

namespace showcaller {

struct EvaluationLimits {
  std::size_t bytes_max = 1u << 20;
  std::uint32_t steps_max = 1'000'000;  // nodes visited
};

class Scratch {
 public:
  explicit Scratch(const EvaluationLimits& limits)
      : next_(first_),
        left_(sizeof first_),
        bytes_left_(limits.bytes_max),
        steps_left_(limits.steps_max) {}
  ~Scratch() {
    if (blocks_ != nullptr) [[unlikely]]
      release();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Null when the budget is spent; the evaluation has then failed.
  void* allocate(std::size_t bytes) {
    bytes = (bytes + 15) & ~std::size_t(15);
    if (bytes == 0)
      bytes = 16;  // Each array has an address of its own: identity compares addresses.
    if (bytes > left_ && !grow(bytes)) return nullptr;
    void* out = next_;
    next_ += bytes;
    left_ -= bytes;
    return out;
  }
  Value* values(std::size_t count) { return static_cast<Value*>(allocate(count * sizeof(Value))); }
  char* text(std::size_t bytes) { return static_cast<char*>(allocate(bytes)); }
  std::string_view copy(std::string_view text) {
    char* out = this->text(text.size());
    if (out == nullptr) return {};
    std::copy(text.begin(), text.end(), out);
    return {out, text.size()};
  }

  bool step() {
    if (steps_left_ == 0) {
      fail("the targeting rule takes too many steps");
      return false;
    }
    --steps_left_;
    return true;
  }
  void fail(const char* why) {
    if (error_ == nullptr) error_ = why;
  }
  // Null while all is well.
  const char* error() const { return error_; }

 private:
  struct Block {
    Block* next;
  };

  bool grow(std::size_t bytes);
  void release();

  alignas(16) char first_[512];
  char* next_;
  std::size_t left_;
  std::size_t bytes_left_;
  std::uint32_t steps_left_;
  const char* error_ = nullptr;
  Block* blocks_ = nullptr;  // each at the front of its memory
};

}  // namespace showcaller
