// SPDX-License-Identifier: Apache-2.0
// The flags in force and how they came from those before, so that a reader who has one of the last
// revisions is told what changed since, and any other all. What is told is encoded once, however
// many are told.
//
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "flag/flag_set.h"
#include "net/responder.h"

namespace showcaller {

class FlagHistory {
 public:
  static constexpr std::size_t kStepsMax = 256;
  static constexpr std::size_t kEntriesMax = 20'000;  // definitions kept in all steps together

  // These are in force now.
  void advance(const std::shared_ptr<const FlagSet>& flags);
  // Before the first advance() there are none.
  const FlagSet& newest() const { return *newest_; }
  // Whether answers may change while flags do not.
  bool moves_with_time() const { return moves_with_time_; }

  // What leads from that revision to the newest; nothing: that is not known any more.
  std::optional<json::object> patch_since(std::string_view revision) const;

  // Which answers may differ since. Null: that is not known any more.
  struct Changes {
    std::vector<std::size_t> flags;  // numbers in newest()
    std::vector<std::string> gone;
  };
  const Changes* changes_since(std::string_view revision);

  // A flag as it is decided by such an answer; made once for all who get that answer.
  struct Decided {
    std::uint64_t name, hash;  // of its key, and of key and definition
    std::string entry;         // "KEY":DEFINITION
  };
  const Decided& decided(std::size_t flag, const Evaluation& answer);

  // Server-sent events. The second is null where the first is the shorter way or the only one.
  SharedBytes snapshot();
  SharedBytes delta_since(std::string_view revision);

 private:
  struct Step {
    std::string from;
    json::object patch;
    std::size_t entries = 0;
  };

  // What tells one answer from another: a variant's name is the set's.
  struct Answer {
    const char* variant;
    FlagReason reason;
    Decided decided;
  };

  void remember(Step step);
  std::optional<Changes> find_changes(std::string_view revision) const;

  std::shared_ptr<const FlagSet> newest_;
  bool moves_with_time_ = false;
  std::deque<Step> steps_;
  std::size_t entries_ = 0;
  SharedBytes snapshot_;
  std::map<std::string, SharedBytes, std::less<>> deltas_;
  std::map<std::string, std::optional<Changes>, std::less<>> changes_;
  std::vector<std::deque<Answer>> answers_;  // by flag
};

// One event for a reader of flags.
SharedBytes flag_event(std::string_view revision, std::string_view event, std::string_view data);
inline constexpr std::string_view kFlagSnapshotEvent = "snapshot", kFlagDeltaEvent = "delta";

}  // namespace showcaller
