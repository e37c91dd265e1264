// SPDX-License-Identifier: Apache-2.0
// The clock of a rehearsal: it stands until it is moved. Threads: none.
#pragma once

#include "host/port/clock.h"

namespace showcaller::sim {

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Instant start) : wall_(start) {}

  Instant wall() const override { return wall_; }
  Duration monotonic() const override { return monotonic_; }
  void advance(Duration d) {
    wall_ += d;
    monotonic_ += d;
  }
  // What an operator or a time server does to the clock on the wall.
  void step(Duration d) { wall_ += d; }

 private:
  Instant wall_;
  Duration monotonic_{};
};

}  // namespace showcaller::sim
