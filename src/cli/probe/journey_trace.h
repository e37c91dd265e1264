// SPDX-License-Identifier: Apache-2.0
// Spans of a probe's journey: one for the journey, below whatever it is made for or in a trace of
// its own, and one below for each of its steps, which is handed on to whom the step asks: a game's
// own spans join there.
//
// Threads: none. Times are counted from the journey's beginning, so that a clock that steps makes
// no span end before it began.
#pragma once

#include <string>
#include <vector>

#include "codec/span.h"
#include "flow/port/probe.h"

namespace showcaller {

class JourneyTrace {
 public:
  // `number`: which try of the call it is, from 1.
  JourneyTrace(const ProbeCall& call, int number, Instant start);

  // What goes along with the step that begins, as a traceparent.
  std::string begin(const ProbeStep& step, Duration at);
  // The step that began last has come to this.
  void end(const ProbeStepResult& result, Duration at);
  // All of them, once the journey is over.
  std::vector<Span> finish(const ProbeResult& result, Duration at);

 private:
  Span span(std::string name, std::string parent, Duration at) const;

  const std::string probe_, region_;
  const Instant start_;
  std::string trace_;
  Span journey_;
  std::vector<Span> steps_;
};

}  // namespace showcaller
