// SPDX-License-Identifier: Apache-2.0
#include "flag/scratch.h"

#include <algorithm>

namespace showcaller {

bool Scratch::grow(std::size_t bytes) {
  const std::size_t block = std::max<std::size_t>(bytes, 4096);
  if (block > bytes_left_) {
    fail("the targeting rule needs too much memory");
    return false;
  }
  bytes_left_ -= block;
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
  next_ = blocks_.back().get();
  left_ = block;
  return true;
}

}  // namespace showcaller
