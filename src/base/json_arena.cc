// SPDX-License-Identifier: Apache-2.0
#include "base/json_arena.h"

#include <algorithm>
#include <new>

namespace showcaller {

void* JsonArena::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (sealed_) return ::operator new(bytes, std::align_val_t(alignment));
  if (std::align(alignment, bytes, free_, left_) == nullptr) {
    const std::size_t size = std::max(next_bytes_, bytes + alignment);
    next_bytes_ = 2 * size;
    pieces_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
    free_ = pieces_.back().bytes.get();
    left_ = size;
    std::align(alignment, bytes, free_, left_);
  }
  void* const out = free_;
  free_ = static_cast<std::byte*>(free_) + bytes;
  left_ -= bytes;
  return out;
}

void JsonArena::do_deallocate(void* at, std::size_t bytes, std::size_t alignment) {
  for (const Piece& piece : pieces_) {
    if (piece.has(at)) return;
  }
  ::operator delete(at, bytes, std::align_val_t(alignment));
}

Result<json::value> parse_json_for_reading(std::string_view text, const JsonLimits& limits) {
  constexpr std::size_t kLeastBytes = 1024;
  JsonArena* arena = nullptr;
  auto storage = json::make_shared_resource<JsonArena>(kLeastBytes + 4 * text.size(), &arena);
  TRY(auto value, parse_json(text, limits, std::move(storage)));
  arena->seal();
  return value;
}

}  // namespace showcaller
