// SPDX-License-Identifier: Apache-2.0
// Which flags a client wants, as it says in the header `Flagd-Selector` or a request's `selector`.
//
//   selector = "" | key "=" value | value        key = "flagSetId" | "source"
//
// A value alone is of the fallback key. `flagSetId=` means flags that are in no set. Source:
// flagd.dev/reference/selector-syntax.
//
// Pure. Threads: none.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace showcaller {

struct FlagSelector {
  enum class By { Nothing, Source, FlagSet };
  By by = By::Nothing;
  std::string value;  // empty with FlagSet: flags that are in no set

  friend auto operator<=>(const FlagSelector&, const FlagSelector&) = default;
};

// Invalid: another key.
Result<FlagSelector> parse_flag_selector(std::string_view text,
                                         std::string_view fallback_key = "source");

}  // namespace showcaller
