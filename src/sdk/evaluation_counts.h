// SPDX-License-Identifier: Apache-2.0
// How often each answer of a flag set was given: a counter an answer, four times over so that cores
// seldom meet at one. Threads: any number add; take() by one at a time, beside them.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "sdk/stripe.h"

namespace showcaller::sdk {

class EvaluationCounts {
 public:
  // Of so many answers, numbered from 1 (FlagSet::answers()).
  explicit EvaluationCounts(std::size_t answers)
      : row_(answers + kRowsApart), counts_(row_ << kRowBits) {}

  // `answer` 0: of no flag, and not counted.
  void add(std::uint32_t answer) const {
    if (answer != 0)
      counts_[own_stripe(kRowBits) * row_ + answer - 1].fetch_add(1, std::memory_order_relaxed);
  }

  // Calls each(answer, times) for those given since the last call.
  template <class Each>
  void take(const Each& each) const {
    for (std::size_t answer = 0; answer + kRowsApart < row_; ++answer) {
      std::int64_t times = 0;
      for (std::size_t row = 0; row < (std::size_t(1) << kRowBits); ++row) {
        auto& count = counts_[row * row_ + answer];
        if (count.load(std::memory_order_relaxed) != 0)
          times += count.exchange(0, std::memory_order_relaxed);
      }
      if (times != 0) each(std::uint32_t(answer + 1), times);
    }
  }

 private:
  static constexpr int kRowBits = 2;
  static constexpr std::size_t kRowsApart = 64 / sizeof(std::uint32_t);  // no row shares a line

  std::size_t row_;
  mutable std::vector<std::atomic<std::uint32_t>> counts_;
};

}  // namespace showcaller::sdk
