// SPDX-License-Identifier: Apache-2.0
// What the flag protocols (flagd's and OFREP) need from the program behind them: the flags for a
// caller. The composition roots implement it over the journal's flags and over flagd's sources.
//
// Threads: any, several at once; a call returns within microseconds and may be made under no lock.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "flag/flag_set.h"

namespace showcaller {

// What a caller shows of himself.
struct FlagCaller {
  std::string_view token;     // of "authorization: Bearer"; empty: none
  std::string_view selector;  // flag/flag_selector.h
};

using SharedFlags = std::shared_ptr<const FlagSet>;

class FlagFeed {
 public:
  virtual ~FlagFeed() = default;

  virtual Instant now() const = 0;
  // What he may have evaluated. Unauthenticated, Forbidden, Invalid (the selector), Unavailable.
  virtual Result<SharedFlags> flags(const FlagCaller& caller) const = 0;
  // What he may evaluate himself: Forbidden for who must not see rules.
  virtual Result<SharedFlags> rules(const FlagCaller& caller) const = 0;
  // An evaluation with this context is about to be answered; `flag` empty: of all flags.
  virtual void evaluated(const EvaluationContext& context, std::string_view flag) = 0;
  // These answers (FlagSet::answer) of what flags() gave were given.
  virtual void answered(const FlagSet& flags, std::span<const std::uint32_t> answers) = 0;
};

}  // namespace showcaller
