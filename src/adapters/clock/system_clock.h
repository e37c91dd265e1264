// SPDX-License-Identifier: Apache-2.0
// The machine's clock.
#pragma once

#include "host/port/clock.h"

namespace showcaller {

class SystemClock final : public Clock {
 public:
  Instant wall() const override;
  Duration monotonic() const override;
};

}  // namespace showcaller
