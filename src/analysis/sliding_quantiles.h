// SPDX-License-Identifier: Apache-2.0
// Exact quantiles of the newest values of a stream.
//
// Threads: none. Cost of add(): a search and a move among at most `window` doubles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/check.h"

namespace showcaller {

class SlidingQuantiles {
 public:
  explicit SlidingQuantiles(std::size_t window) : window_(window) { CHECK(window > 0); }

  // Never NaN.
  void add(double value) {
    if (arrived_.size() < window_) {
      arrived_.push_back(value);
    } else {
      sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), arrived_[oldest_]));
      arrived_[oldest_] = value;
      oldest_ = (oldest_ + 1) % window_;
    }
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
  }
  // 0 while there is nothing.
  double at(double quantile) const {
    if (sorted_.empty()) return 0;
    return sorted_[std::min(sorted_.size() - 1, std::size_t(quantile * double(sorted_.size())))];
  }
  std::size_t size() const { return sorted_.size(); }

 private:
  std::size_t window_;
  std::size_t oldest_ = 0;
  std::vector<double> arrived_, sorted_;
};

}  // namespace showcaller
