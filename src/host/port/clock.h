// SPDX-License-Identifier: Apache-2.0
// Port: the clock. Virtual in rehearsals and tests. Threads: any.
#pragma once

#include "base/time.h"

namespace showcaller {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant wall() const = 0;  // may step
  virtual Duration monotonic()
      const = 0;  // never goes backwards; stands still while the machine is off
};

}  // namespace showcaller
