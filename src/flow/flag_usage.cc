// SPDX-License-Identifier: Apache-2.0
#include "flow/flag_usage.h"

#include <algorithm>

namespace showcaller {

void FlagUsage::note(std::string_view flag, std::string_view variant, std::int64_t times,
                     Instant now) {
  if (times <= 0 || flag.empty()) return;
  auto at = seen_.find(flag);
  if (at == seen_.end()) {
    if (seen_.size() >= limits_.flags_max) {
      full_ = true;
      return;
    }
    at = seen_.emplace(std::string(flag), Seen{}).first;
  }
  Seen& seen = at->second;
  seen.times += times;
  seen.last = std::max(seen.last, now);
  const std::string name(variant);
  if (!seen.variants.contains(name) && seen.variants.size() >= limits_.variants_max) {
    seen.all_known = false;
    return;
  }
  Answer& answer = seen.variants[name];
  answer.times += times;
  answer.last = std::max(answer.last, now);
}

const FlagUsage::Seen* FlagUsage::of(std::string_view flag) const {
  const auto at = seen_.find(flag);
  return at == seen_.end() ? nullptr : &at->second;
}

}  // namespace showcaller
