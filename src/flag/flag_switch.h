// SPDX-License-Identifier: Apache-2.0
// The kill switch of one flag, as a value that two places may change apart and merge later: off
// wins over on until somebody re-opens, and a re-opening wins over every kill that it knew of.
//
// `reopened` counts the re-openings. A kill keeps the count, a re-opening raises it; of two states
// the one with the higher count stands, and of two with one count the one that is off. The rest
// only tells people why, and makes the order total, so that the merge is the greater of the two:
// commutative, associative, idempotent.
// Threads: none; a value.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"

namespace showcaller {

struct FlagSwitch {
  std::int64_t reopened = 0;
  bool off = false;
  Instant since{};  // of the last kill or re-opening
  std::string actor, reason;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("reopened", self.reopened);
    visit("off", self.off);
    visit("since", self.since);
    visit("actor", self.actor);
    visit("reason", self.reason);
  }
  friend auto operator<=>(const FlagSwitch&, const FlagSwitch&) = default;
};

inline FlagSwitch merged(const FlagSwitch& a, const FlagSwitch& b) {
  return std::max(a, b);
}

// A flagd definition that gives everybody one variant, whatever it said before; its metadata says
// that it is killed, since when and why. `off_variant` empty: the caller's own default.
json::object killed_flag(json::object definition, std::string_view off_variant,
                         const FlagSwitch& by);

}  // namespace showcaller
