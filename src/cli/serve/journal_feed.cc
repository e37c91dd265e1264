// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/journal_feed.h"

#include "flag/flag_sources.h"

namespace showcaller {
namespace {

// Two documents (servers' and clients') are in force at a time; more are of flags that were.
constexpr std::size_t kSelectionsMax = 1'000;

}  // namespace

Result<FlagView> JournalFeed::view_of(const FlagCaller& caller) const {
  Actor actor{"anonymous", {"client"}};
  if (!caller.token.empty() || !open_) {
    TRY(actor, backend_.authenticate(caller.token));
  }
  TRY(backend_.authorize(actor, "flags", ""));
  return backend_.flags(actor);
}

Result<SharedFlags> JournalFeed::flags(const FlagCaller& caller) const {
  TRY(const FlagView view, view_of(caller));
  return selected_from(view.flags, caller.selector);
}

Result<SharedFlags> JournalFeed::rules(const FlagCaller& caller) const {
  TRY(const FlagView view, view_of(caller));
  if (view.client_visible_only) {
    return fail(ErrorCode::Forbidden,
                "rules are not for clients; evaluate by flagd.evaluation.v2 or OFREP instead");
  }
  return selected_from(view.flags, caller.selector);
}

Result<SharedFlags> JournalFeed::selected_from(const SharedFlags& all,
                                               std::string_view text) const {
  TRY(const FlagSelector selector, parse_flag_selector(text));
  if (selector.by == FlagSelector::By::Nothing) return all;
  const std::pair key{selector, std::string(all->fingerprint())};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = selected_.find(key); found != selected_.end()) return found->second;
  }
  FlagSources sources({std::string(kJournalSource)});
  TRY(sources.take(0, all->document()));
  TRY(FlagSet set, FlagSet::compile(sources.select(selector)));
  auto flags = std::make_shared<const FlagSet>(std::move(set));
  const std::lock_guard lock(mutex_);
  if (selected_.size() >= kSelectionsMax) selected_.clear();
  if (flags->size() > 0) selected_.emplace(key, flags);
  return flags;
}

}  // namespace showcaller
