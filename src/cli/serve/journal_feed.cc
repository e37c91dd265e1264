// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/journal_feed.h"

namespace showcaller {
Result<FlagView> JournalFeed::view_of(const FlagCaller& caller) const {
  // Where it is open, its operator has said that anybody may have what clients may.
  if (caller.token.empty() && open_) return backend_.flags({"anonymous", {"client"}});
  TRY(const Actor actor, backend_.authenticate(caller.token));
  TRY(backend_.authorize(actor, "flags", ""));
  return backend_.flags(actor);
}

Result<SharedFlags> JournalFeed::flags(const FlagCaller& caller) const {
  TRY(const FlagView view, view_of(caller));
  return selections_.select(view.flags, caller.selector);
}

Result<SharedFlags> JournalFeed::rules(const FlagCaller& caller) const {
  TRY(const FlagView view, view_of(caller));
  if (view.client_visible_only) {
    return fail(ErrorCode::Forbidden,
                "rules are not for clients; evaluate by flagd.evaluation.v2 or OFREP instead");
  }
  return selections_.select(view.flags, caller.selector);
}

}  // namespace showcaller
