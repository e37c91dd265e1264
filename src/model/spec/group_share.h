// SPDX-License-Identifier: Apache-2.0
// What an event or a flag asks of an exclusion group.
#pragma once

#include <cstdint>
#include <string>

namespace showcaller {

struct GroupShare {
  std::string group;
  std::int64_t share_ppm = 0;  // of the group's units: it touches no others
  friend bool operator==(const GroupShare&, const GroupShare&) = default;
};

}  // namespace showcaller
