// SPDX-License-Identifier: Apache-2.0
#include "base/json_arena.h"

#include <algorithm>
#include <functional>
#include <new>

namespace showcaller {

void* JsonArena::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (sealed_) return ::operator new(bytes, std::align_val_t(alignment));
  void* place = next_;
  if (next_ == nullptr || std::align(alignment, bytes, place, left_) == nullptr) {
    constexpr std::size_t kFirst = 4096;
    const std::size_t grown = pieces_.empty() ? kFirst : pieces_.back().size * 2;
    const std::size_t size = std::max(grown, bytes + alignment);
    pieces_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    place = pieces_.back().memory.get();
    left_ = size;
    std::align(alignment, bytes, place, left_);
  }
  next_ = static_cast<char*>(place) + bytes;
  left_ -= bytes;
  return place;
}

void JsonArena::do_deallocate(void* memory, std::size_t, std::size_t alignment) {
  // The largest pieces are the last.
  for (std::size_t i = pieces_.size(); i > 0; --i) {
    const char* const begin = pieces_[i - 1].memory.get();
    const char* const place = static_cast<const char*>(memory);
    if (!std::less<>()(place, begin) && std::less<>()(place, begin + pieces_[i - 1].size)) return;
  }
  ::operator delete(memory, std::align_val_t(alignment));
}

}  // namespace showcaller
