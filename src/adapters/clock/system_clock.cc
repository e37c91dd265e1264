// SPDX-License-Identifier: Apache-2.0
#include "adapters/clock/system_clock.h"

namespace showcaller {

Instant SystemClock::wall() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Duration SystemClock::monotonic() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace showcaller
