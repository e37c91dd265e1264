// SPDX-License-Identifier: Apache-2.0
// Memory for a document that is parsed once, read by many and never changed: in a few large pieces,
// in the order of the text, so that reading follows the memory and parsing hardly asks the heap.
//
// Boost.JSON lets a copy of a value take its memory from where the value lives, on whichever thread
// copies. So an arena is filled by one thread and then sealed: what is asked for later, by anybody,
// comes from the heap and goes back there.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/json.h"

namespace showcaller {

class JsonArena final : public json::memory_resource {
 public:
  // The first piece; later ones double. A shared resource lies within an object of Boost.JSON's, so
  // it says itself where.
  JsonArena(std::size_t first_bytes, JsonArena** place) : next_bytes_(first_bytes) {
    *place = this;
  }
  JsonArena(const JsonArena&) = delete;
  JsonArena& operator=(const JsonArena&) = delete;

  // From here on any number of threads may use it.
  void seal() { sealed_ = true; }

 private:
  struct Piece {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    bool has(const void* at) const { return at >= bytes.get() && at < bytes.get() + size; }
  };

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::size_t next_bytes_;
  std::vector<Piece> pieces_;
  void* free_ = nullptr;  // of the last piece
  std::size_t left_ = 0;
  bool sealed_ = false;
};

// parse_json into a sealed arena that lives as long as the value and its copies.
Result<json::value> parse_json_for_reading(std::string_view text, const JsonLimits& limits = {});

}  // namespace showcaller
