// SPDX-License-Identifier: Apache-2.0
// A token bucket in whole numbers: so many a minute, up to ten seconds' worth at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace showcaller {

class PaceBucket {
 public:
  // A new pace keeps what was saved up, as far as it fits. The first one starts full.
  void set(std::int64_t per_minute, Instant now) {
    refill(now);
    const bool first = per_minute_ == 0;
    per_minute_ = std::clamp<std::int64_t>(per_minute, 0, 1'000'000'000);
    credit_ = first ? most() : std::min(credit_, most());
  }
  std::int64_t per_minute() const { return per_minute_; }
  bool has_one(Instant now) {
    refill(now);
    return per_minute_ == 0 || credit_ >= kCost;
  }
  void take_one() {
    if (per_minute_ != 0) credit_ -= kCost;
  }

 private:
  static constexpr std::int64_t kCost = 60'000;  // of one token; a millisecond earns per_minute_
  std::int64_t most() const { return std::max(kCost, per_minute_ * 10'000); }
  void refill(Instant now) {
    if (now <= last_) return;
    const std::int64_t elapsed = std::min<std::int64_t>((now - last_).count(), 60'000);
    last_ = now;
    credit_ = std::min(most(), credit_ + elapsed * per_minute_);
  }

  std::int64_t per_minute_ = 0;  // 0: no limit
  std::int64_t credit_ = 0;
  Instant last_{};
};

}  // namespace showcaller
