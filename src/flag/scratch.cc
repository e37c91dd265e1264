// SPDX-License-Identifier: Apache-2.0
#include "flag/scratch.h"

#include <algorithm>
#include <new>

namespace showcaller {

bool Scratch::grow(std::size_t bytes) {
  const std::size_t block = std::max<std::size_t>(bytes, 4096);
  if (block > bytes_left_) {
    fail("the targeting rule needs too much memory");
    return false;
  }
  bytes_left_ -= block;
  constexpr std::size_t kFront = 16;  // keeps what follows aligned
  static_assert(sizeof(Block) <= kFront);
  char* const memory = new char[kFront + block];
  blocks_ = new (memory) Block{blocks_};
  next_ = memory + kFront;
  left_ = block;
  return true;
}

void Scratch::release() {
  while (blocks_ != nullptr) {
    Block* const next = blocks_->next;
    delete[] reinterpret_cast<char*>(blocks_);
    blocks_ = next;
  }
}

}  // namespace showcaller
