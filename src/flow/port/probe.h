// SPDX-License-Identifier: Apache-2.0
// Port: what makes a probe's journeys, and tells how they ended.
//
// Threads: run() by any, and it never blocks; done is called exactly once, on any thread, also when
// the port closes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/spec/probe.h"

namespace showcaller {

struct ProbeCall {
  std::string probe, region;  // region empty: wherever this is
  std::string base_url;       // of the probe's Service; empty: none
  std::string traceparent;    // handed to every step; empty: none
  ProbeSpec spec;
};

struct ProbeStepResult {
  std::string step;
  Duration took{};
  std::string wrong;  // empty: as expected
};

struct ProbeResult {
  std::string wrong;  // "enter: 503 instead of 200-299"; empty: the journey was good
  Duration took{};    // of the journey that counts
  int journeys = 1;   // made until one was good, or retries were used up
  std::vector<ProbeStepResult> steps;  // of the journey that counts
  bool good() const { return wrong.empty(); }
};

class ProbePort {
 public:
  virtual ~ProbePort() = default;
  using Outcome = std::function<void(ProbeResult result)>;
  virtual void run(const ProbeCall& call, Outcome done) = 0;
};

}  // namespace showcaller
