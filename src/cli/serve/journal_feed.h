// SPDX-License-Identifier: Apache-2.0
// The journal's flags as a feed for flagd's protocols: who asks is told by his token, as over HTTP.
// Clients get values of the flags that are meant for them, and never a rule.
//
// Threads: any.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "flag/flag_selector.h"
#include "wire/edge_backend.h"
#include "wire/flagd/flag_feed.h"

namespace showcaller {

// The name of the one source, for selectors.
inline constexpr std::string_view kJournalSource = "journal";

class JournalFeed final : public FlagFeed {
 public:
  // `open`: who shows no token is a client.
  JournalFeed(EdgeBackend* backend, bool open) : backend_(*backend), open_(open) {}

  Instant now() const override { return backend_.now(); }
  Result<SharedFlags> flags(const FlagCaller& caller) const override;
  Result<SharedFlags> rules(const FlagCaller& caller) const override;
  void evaluated(const EvaluationContext& context, std::string_view flag) override {
    backend_.evaluated(context.to_json(), flag);
  }

 private:
  Result<FlagView> view_of(const FlagCaller& caller) const;
  Result<SharedFlags> selected_from(const SharedFlags& all, std::string_view selector) const;

  EdgeBackend& backend_;
  const bool open_;
  // By the selector and the fingerprint of what it selects from. What selects nothing is not kept.
  using Selections = std::map<std::pair<FlagSelector, std::string>, SharedFlags>;
  mutable std::mutex mutex_;
  mutable Selections selected_;
};

}  // namespace showcaller
