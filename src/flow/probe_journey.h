// SPDX-License-Identifier: Apache-2.0
// A probe's journey: which step comes next, with what in it, and whether its answer was as
// expected. Pure: whoever makes the steps brings answers and times.
//
//   ProbeJourney journey(call);
//   while (const auto step = journey.next()) journey.answered(ask(*step), took);
//   journey.result()
#pragma once

#include <map>
#include <optional>
#include <string>

#include "flow/port/probe.h"
#include "flow/port/probe_step.h"

namespace showcaller {

class ProbeJourney {
 public:
  explicit ProbeJourney(const ProbeCall& call);

  // Its texts are filled in; nothing: the journey is over.
  std::optional<ProbeStep> next();
  void answered(const ProbeAnswer& answer, Duration took);
  const ProbeContext& context() const { return context_; }
  // What is left of the journey's time.
  Duration time_left() const { return call_.spec.timeout - result_.took; }
  const ProbeResult& result() const { return result_; }

 private:
  void fail(const std::string& step, std::string why);

  const ProbeCall& call_;
  ProbeContext context_;
  std::size_t at_ = 0;
  ProbeResult result_;
};

// The text with ${name} replaced; Invalid: it speaks of what nobody kept.
Result<std::string> filled(std::string_view text, const std::map<std::string, std::string>& values);
// Why an answer is not as expected; empty: it is.
std::string unmet(const ProbeStep& step, const ProbeAnswer& answer, Duration took);

}  // namespace showcaller
