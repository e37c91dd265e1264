// SPDX-License-Identifier: Apache-2.0
// Port: where spans go that are over.
//
// Threads: any; it never blocks. What cannot be kept until it is sent on is dropped and counted:
// nothing waits for a collector.
#pragma once

#include <vector>

#include "codec/span.h"

namespace showcaller {

class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void take(std::vector<Span> spans) = 0;
};

}  // namespace showcaller
