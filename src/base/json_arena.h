// SPDX-License-Identifier: Apache-2.0
// Memory for one JSON document that is built once and then shared: parsing takes from large pieces,
// nothing is given back before all of it is. What is copied from the document lives in the same
// resource, as Boost.JSON has it, and by then in memory of its own.
//
// Threads: one until sealed, any number after.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/json.h"

namespace showcaller {

class JsonArena final : public json::memory_resource {
 public:
  // What is asked for from now on is allocated one by one.
  void seal() { sealed_ = true; }

 private:
  struct Piece {
    std::unique_ptr<char[]> memory;
    std::size_t size = 0;
  };

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::vector<Piece> pieces_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  bool sealed_ = false;
};

}  // namespace showcaller
