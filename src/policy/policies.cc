// SPDX-License-Identifier: Apache-2.0
#include "policy/policies.h"

namespace showcaller {

const ExceptionSpec* exception_for(const PolicySpec& policy, std::string_view rule,
                                   std::string_view event, Instant now) {
  const ExceptionSpec* longest = nullptr;
  for (const ExceptionSpec& exception : policy.exceptions) {
    if (exception.rule != rule || exception.event != event || exception.until <= now) continue;
    if (!longest || longest->until < exception.until) longest = &exception;
  }
  return longest;
}

}  // namespace showcaller
