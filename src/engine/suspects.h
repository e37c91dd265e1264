// SPDX-License-Identifier: Apache-2.0
// What changed before something went wrong, the likeliest first, by a score that anybody can work
// out again (docs/incidents.md). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/record_subjects.h"

namespace showcaller {

inline constexpr Duration kSuspectsSince = hours(6);
inline constexpr Duration kSuspicionHalves = minutes(30);
inline constexpr double kAlreadyWrong = 0.25;

// A record that changed something for players.
struct ChangeSeen {
  std::uint64_t seq = 0;
  Instant at{};
  std::string by, what;
  Subjects touches;
};

// What went wrong.
struct TroubleSeen {
  Subjects touches;
  Instant sign{};    // its first sign
  Instant opened{};  // when somebody was told; never before the sign
};

struct Suspect {
  std::uint64_t seq = 0;
  Instant at{};
  std::string by, what;
  double nearness = 0;      // 1 at the first sign, halved by each half hour before it
  double overlap = 0;       // the share of what is in trouble that the change touches
  bool moved_after = true;  // it came before the first sign, which had not been there
  Subjects common;
  double score() const { return nearness * overlap * (moved_after ? 1 : kAlreadyWrong); }
};

// Of changes up to `opened` and of the six hours before; those that touch nothing of it are none.
std::vector<Suspect> suspects_of(const TroubleSeen& trouble, std::span<const ChangeSeen> changes,
                                 std::size_t most);

// Whether a record changes something for players, and may so be a cause.
bool is_a_change(const Payload& payload);

}  // namespace showcaller
