// SPDX-License-Identifier: Apache-2.0
// What selectors choose of the flags that a caller may see, compiled when it is first asked for.
//
// Threads: any. Limits: kSelectionsMax are kept; what selects nothing is not.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "flag/flag_selector.h"
#include "wire/flagd/flag_feed.h"

namespace showcaller {

class FlagSelections {
 public:
  // `source`: what all the flags come from, as selectors call it.
  explicit FlagSelections(std::string source) : source_(std::move(source)) {}

  // Invalid: the selector is none.
  Result<SharedFlags> select(const SharedFlags& all, std::string_view selector) const;

 private:
  static constexpr std::size_t kSelectionsMax = 1'000;

  const std::string source_;
  mutable std::mutex mutex_;
  // By the selector and the fingerprint of what it selects from.
  mutable std::map<std::pair<FlagSelector, std::string>, SharedFlags> selected_;
};

}  // namespace showcaller
