// SPDX-License-Identifier: Apache-2.0
// A value whose copies share it until one of them changes: for parts of a value that is copied
// often, and that change seldom themselves.
//
// Threads: one writer a copy; any number of readers of other copies. Memory: none of its own while
// it is T{}.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/counted_ref.h"

namespace showcaller {

template <class T>
class Shared {
 public:
  Shared() = default;
  Shared(T value) : box_(new Box(std::move(value))) {}

  const T& operator*() const { return box_ ? box_->value : kEmpty; }
  const T* operator->() const { return &**this; }
  // Free to change, until it is next copied.
  T& change() {
    if (!box_ || !box_.unique()) box_ = CountedRef<Box>(new Box(**this));
    return box_->value;
  }

 private:
  struct Box {
    explicit Box(T v) : value(std::move(v)) {}
    std::atomic<std::uint32_t> count{1};
    T value;
  };
  inline static const T kEmpty{};

  CountedRef<Box> box_;
};

}  // namespace showcaller
