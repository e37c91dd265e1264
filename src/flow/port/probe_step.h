// SPDX-License-Identifier: Apache-2.0
// Port: what makes one step of a probe's journey, with its texts filled in.
//
// exchange() blocks, for as long as it is given at most. Threads: any, several at once. Nothing
// that a service says is an error of the port: it is the answer.
#pragma once

#include <map>
#include <string>

#include "base/time.h"
#include "model/spec/probe.h"

namespace showcaller {

struct ProbeAnswer {
  std::string error;  // there was no answer: why. Empty: there was
  int status = 0;     // of HTTP, or how a script ended
  std::string body;   // what was said, 64 KiB at most
};

// What goes along with every step of a journey.
struct ProbeContext {
  std::string traceparent;                    // of the journey; empty: none
  std::map<std::string, std::string> values;  // that earlier steps kept
};

class ProbeStepPort {
 public:
  virtual ~ProbeStepPort() = default;
  virtual ProbeAnswer exchange(const ProbeStep& step, const ProbeContext& context,
                               Duration timeout) = 0;
};

}  // namespace showcaller
