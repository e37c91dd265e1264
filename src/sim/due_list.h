// SPDX-License-Identifier: Apache-2.0
// Numbers that fall due at seconds: those of the next hours in a ring, later ones in a map. Of one
// second they come out in the order in which they went in.
//
// Threads: none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace showcaller::sim {

class DueList {
 public:
  // One that is due already is taken with the next second.
  void add(std::int64_t second, std::uint64_t number) {
    second = std::max(second, next_);
    if (second - next_ < kRing)
      ring_[std::size_t(second % kRing)].push_back(number);
    else
      later_[second].push_back(number);
  }

  // Calls sink(number) for all that are due until `second`; the sink may add more. A few before
  // it is its turn soon(number) is called, so that what it is about can be fetched from memory.
  template <class Sink, class Soon = decltype([](std::uint64_t) {})>
  void take_until(std::int64_t second, Sink&& sink, Soon soon = {}) {
    for (; next_ <= second; ++next_) {
      if (!later_.empty() && later_.begin()->first == next_) {
        const auto due = later_.extract(later_.begin());
        for (const std::uint64_t number : due.mapped()) sink(number);
      }
      // The sink may add to this very second.
      std::vector<std::uint64_t>& due = ring_[std::size_t(next_ % kRing)];
      for (std::size_t i = 0; i < std::min(due.size(), kSoon); ++i) soon(due[i]);
      for (std::size_t i = 0; i < due.size(); ++i) {
        if (i + kSoon < due.size()) soon(due[i + kSoon]);
        sink(due[i]);
      }
      due.clear();
    }
  }

 private:
  static constexpr std::int64_t kRing = 8'192;
  static constexpr std::size_t kSoon = 4;

  std::vector<std::vector<std::uint64_t>> ring_ = std::vector<std::vector<std::uint64_t>>(kRing);
  std::map<std::int64_t, std::vector<std::uint64_t>> later_;
  std::int64_t next_ = 0;  // not taken yet
};

}  // namespace showcaller::sim
