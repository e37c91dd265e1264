// SPDX-License-Identifier: Apache-2.0
// A feed of the flags of several sources: what `flagd start` serves. Nobody has to show who he is,
// as with flagd.
//
// A selection is compiled when it is first asked for, and again before a change is seen. What
// selects nothing is not kept, so the number kept follows from the sources.
//
// Threads: any. Nothing is compiled under the lock that readers take.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "flag/flag_sources.h"
#include "wire/flagd/flag_feed.h"

namespace showcaller {

class SourcesFeed final : public FlagFeed {
 public:
  SourcesFeed(std::vector<std::string> names, std::string selector_fallback_key,
              std::function<Instant()> clock)
      : fallback_key_(std::move(selector_fallback_key)),
        clock_(std::move(clock)),
        sources_(std::move(names)) {}

  // Replaces what a source says, or says why not, and then nothing has changed. As
  // FlagSources::take.
  Result<std::vector<FlagFinding>> take(std::size_t source, json::value document);

  Instant now() const override { return clock_(); }
  Result<SharedFlags> flags(const FlagCaller& caller) const override;
  Result<SharedFlags> rules(const FlagCaller& caller) const override { return flags(caller); }
  void evaluated(const EvaluationContext&, std::string_view) override {}
  void answered(const FlagSet&, std::span<const std::uint32_t>) override {}

 private:
  using Selections = std::map<FlagSelector, SharedFlags>;

  const std::string fallback_key_;
  const std::function<Instant()> clock_;
  std::mutex taking_;  // one change after the other
  mutable std::mutex mutex_;
  FlagSources sources_;
  std::uint64_t changes_ = 0;
  mutable Selections selected_;
};

}  // namespace showcaller
