// SPDX-License-Identifier: Apache-2.0
// The journal's flags as a feed for flagd's protocols: who asks is told by his token, as over HTTP.
// Clients get values of the flags that are meant for them, and never a rule.
//
// Threads: any.
#pragma once

#include <string>

#include "wire/edge_backend.h"
#include "wire/flag_selections.h"
#include "wire/flagd/flag_feed.h"

namespace showcaller {

// The name of the one source, for selectors.
inline constexpr std::string_view kJournalSource = "journal";

class JournalFeed final : public FlagFeed {
 public:
  // `open`: who shows no token is a client.
  JournalFeed(EdgeBackend* backend, bool open) : backend_(*backend), open_(open) {}

  // The same, for callers whose token was looked at elsewhere.
  const FlagSelections& selections() const { return selections_; }

  Instant now() const override { return backend_.now(); }
  Result<SharedFlags> flags(const FlagCaller& caller) const override;
  Result<SharedFlags> rules(const FlagCaller& caller) const override;
  void evaluated(const EvaluationContext& context, std::string_view flag) override {
    backend_.evaluated(context.to_json(), flag);
  }
  void answered(const FlagSet& flags, std::span<const std::uint32_t> answers) override {
    backend_.answered(flags, answers);
  }

 private:
  Result<FlagView> view_of(const FlagCaller& caller) const;

  EdgeBackend& backend_;
  const bool open_;
  const FlagSelections selections_{std::string(kJournalSource)};
};

}  // namespace showcaller
