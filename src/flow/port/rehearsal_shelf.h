// SPDX-License-Identifier: Apache-2.0
// Port: where reports of rehearsals are kept that people have published, for others to look at. A
// shelf of bounded length: what is too old or too many goes, the oldest first. Losing it costs
// nothing that Showcaller decides by.
//
// Threads: any. Errors: Limit (the report is too large, or the disk is full), NotFound, Unavailable
// (anything else of the disk).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace showcaller {

inline constexpr std::size_t kRehearsalBytesMax = 512 << 10;
inline constexpr std::size_t kRehearsalsMax = 100;
inline constexpr Duration kRehearsalsKept = hours(24 * 90);

struct RehearsalOnShelf {
  std::string id;  // rises with time
  Instant at{};    // when it was published
  std::string by;
  json::object report;
};

class RehearsalShelf {
 public:
  virtual ~RehearsalShelf() = default;

  // Returns its id.
  [[nodiscard]] virtual Result<std::string> put(Instant at, const std::string& by,
                                                const json::object& report) = 0;
  // The newest first, without those that were too old at `now`.
  [[nodiscard]] virtual Result<std::vector<RehearsalOnShelf>> all(Instant now) = 0;
  [[nodiscard]] virtual Result<RehearsalOnShelf> one(const std::string& id) = 0;
};

}  // namespace showcaller
