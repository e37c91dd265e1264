// SPDX-License-Identifier: Apache-2.0
// How long to wait after a failure: twice as long each time, with chance, so that many clients do
// not return at once.
#pragma once

#include <algorithm>

#include "base/random.h"
#include "base/time.h"

namespace showcaller::sdk {

class BackOff {
 public:
  explicit BackOff(std::uint64_t seed, Duration first = seconds(1), Duration longest = seconds(60))
      : random_(seed), first_(first), longest_(longest), next_(first) {}

  // Between half and all of the wait.
  Duration fail() {
    const double share = 0.5 + random_.uniform() / 2;
    const Duration wait(std::int64_t(double(next_.count()) * share));
    next_ = std::min(next_ * 2, longest_);
    return wait;
  }
  void succeed() { next_ = first_; }

 private:
  Random random_;
  Duration first_;
  Duration longest_;
  Duration next_;
};

}  // namespace showcaller::sdk
