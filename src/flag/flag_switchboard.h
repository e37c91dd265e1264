// SPDX-License-Identifier: Apache-2.0
// The kill switches of all flags at one place that may be cut off from the others, with the moves
// that were made there and that those above do not know yet.
//
// Two switchboards that have heard of the same moves show the same, in whatever order they heard,
// however often, and whoever told them: each flag's switch is the greatest of its moves
// (flag/flag_switch.h). Off wins until somebody re-opens.
//
// Threads: none; a value. Limits: kUntoldMax moves wait to be told; of a flag with more the middle
// ones are forgotten, never what the switch is.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "flag/flag_switch.h"

namespace showcaller {

// What happened to a flag's switch at one place.
struct FlagMoves {
  std::string flag;
  std::vector<FlagSwitch> moves;
  friend bool operator==(const FlagMoves&, const FlagMoves&) = default;
};

class FlagSwitchboard {
 public:
  static constexpr std::size_t kUntoldMax = 1'000;

  // Made here. `by` says who, when and why; its count is chosen. The switch after.
  FlagSwitch kill(const std::string& flag, FlagSwitch by);
  FlagSwitch reopen(const std::string& flag, FlagSwitch by);
  // Made elsewhere: below, and so to be told above; or above, where it is known. True: something
  // is new.
  bool hear_from_below(const FlagMoves& moves);
  bool hear_from_above(const std::string& flag, const FlagSwitch& there);

  // As it is, for who was never moved too.
  FlagSwitch of(std::string_view flag) const;
  const std::map<std::string, FlagSwitch, std::less<>>& all() const { return switches_; }

  std::vector<FlagMoves> untold() const;
  // Those above have these.
  void told(const std::vector<FlagMoves>& moves);

  json::object to_json() const;
  static Result<FlagSwitchboard> from_json(const json::object& object);
  friend bool operator==(const FlagSwitchboard&, const FlagSwitchboard&) = default;

 private:
  bool merge(const std::string& flag, const FlagSwitch& with);
  void note(const std::string& flag, const FlagSwitch& move);

  std::map<std::string, FlagSwitch, std::less<>> switches_;
  std::map<std::string, std::vector<FlagSwitch>, std::less<>> untold_;
};

json::object switch_to_json(const FlagSwitch& value);
Result<FlagSwitch> switch_from_json(const json::value& value);
json::array moves_to_json(const std::vector<FlagMoves>& all);
Result<std::vector<FlagMoves>> moves_from_json(const json::value& value);

}  // namespace showcaller
