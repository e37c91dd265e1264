// SPDX-License-Identifier: Apache-2.0
// What waits at a relay for the line upstream, in the order it came. When there is no room the
// oldest makes room, and is counted.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace showcaller {

class RelaySpool {
 public:
  struct Item {
    std::uint64_t number;
    std::string text;
  };

  RelaySpool(std::size_t bytes_max, std::size_t items_max)
      : bytes_max_(bytes_max), items_max_(items_max) {}

  void push(std::string item) {
    const std::lock_guard lock(mutex_);
    bytes_ += item.size();
    items_.push_back(std::move(item));
    while (items_.size() > 1 && (bytes_ > bytes_max_ || items_.size() > items_max_)) {
      bytes_ -= items_.front().size();
      items_.pop_front();
      ++first_;
      ++dropped_;
    }
  }

  // The oldest so many; they stay until they are done with.
  std::vector<Item> front(std::size_t count) const {
    const std::lock_guard lock(mutex_);
    std::vector<Item> out;
    for (std::size_t i = 0; i < std::min(count, items_.size()); ++i)
      out.push_back({first_ + i, items_[i]});
    return out;
  }
  // This one and all before it.
  void done(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    while (!items_.empty() && first_ <= number) {
      bytes_ -= items_.front().size();
      items_.pop_front();
      ++first_;
    }
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }
  std::uint64_t dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  const std::size_t bytes_max_, items_max_;
  mutable std::mutex mutex_;
  std::deque<std::string> items_;
  std::size_t bytes_ = 0;
  std::uint64_t first_ = 1, dropped_ = 0;
};

}  // namespace showcaller
