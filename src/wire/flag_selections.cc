// SPDX-License-Identifier: Apache-2.0
#include "wire/flag_selections.h"

#include "flag/flag_sources.h"

namespace showcaller {

Result<SharedFlags> FlagSelections::select(const SharedFlags& all, std::string_view text) const {
  TRY(const FlagSelector selector, parse_flag_selector(text));
  if (selector.by == FlagSelector::By::Nothing) return all;
  const std::pair key{selector, std::string(all->fingerprint())};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = selected_.find(key); found != selected_.end()) return found->second;
  }
  FlagSources sources({source_});
  TRY(sources.take(0, all->document()));
  TRY(FlagSet set, FlagSet::compile(sources.select(selector)));
  auto flags = std::make_shared<const FlagSet>(std::move(set));
  const std::lock_guard lock(mutex_);
  if (selected_.size() >= kSelectionsMax) selected_.clear();
  if (flags->size() > 0) selected_.emplace(key, flags);
  return flags;
}

}  // namespace showcaller
