// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/sources_feed.h"

namespace showcaller {
namespace {

Result<SharedFlags> compile_selection(const FlagSources& sources, const FlagSelector& selector) {
  TRY(FlagSet set, FlagSet::compile(sources.select(selector)));
  return std::make_shared<const FlagSet>(std::move(set));
}

bool is_worth_keeping(const FlagSelector& selector, const FlagSet& flags) {
  return flags.size() > 0 || selector.by == FlagSelector::By::Nothing;
}

}  // namespace

Result<std::vector<FlagFinding>> SourcesFeed::take(std::size_t source, json::value document) {
  const std::lock_guard one(taking_);
  FlagSources sources = [this] {
    const std::lock_guard lock(mutex_);
    return sources_;
  }();
  TRY(auto broken, sources.take(source, std::move(document)));
  // All together first: whether each source keeps the limits, their sum may not.
  Selections wanted{{FlagSelector{}, nullptr}};
  {
    const std::lock_guard lock(mutex_);
    wanted.insert(selected_.begin(), selected_.end());
  }
  for (auto& [selector, flags] : wanted) {
    TRY(flags, compile_selection(sources, selector));
  }
  std::erase_if(wanted,
                [](const auto& each) { return !is_worth_keeping(each.first, *each.second); });
  const std::lock_guard lock(mutex_);
  sources_ = std::move(sources);
  selected_ = std::move(wanted);
  ++changes_;
  return broken;
}

Result<SharedFlags> SourcesFeed::flags(const FlagCaller& caller) const {
  TRY(const FlagSelector selector, parse_flag_selector(caller.selector, fallback_key_));
  std::unique_lock lock(mutex_);
  if (const auto found = selected_.find(selector); found != selected_.end()) return found->second;
  const FlagSources sources = sources_;
  const std::uint64_t changes = changes_;
  lock.unlock();
  TRY(SharedFlags flags, compile_selection(sources, selector));
  lock.lock();
  if (changes == changes_ && is_worth_keeping(selector, *flags)) selected_.emplace(selector, flags);
  return flags;
}

}  // namespace showcaller
