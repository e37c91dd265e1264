// SPDX-License-Identifier: Apache-2.0
// Instants and durations as values, in whole milliseconds, UTC. Nothing here reads a clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace showcaller {

using Duration = std::chrono::milliseconds;
using Instant = std::chrono::sys_time<Duration>;

constexpr Duration seconds(std::int64_t n) {
  return std::chrono::seconds(n);
}
constexpr Duration minutes(std::int64_t n) {
  return std::chrono::minutes(n);
}
constexpr Duration hours(std::int64_t n) {
  return std::chrono::hours(n);
}
constexpr Instant instant_ms(std::int64_t ms) {
  return Instant(Duration(ms));
}
constexpr std::int64_t to_ms(Instant t) {
  return t.time_since_epoch().count();
}

// "2026-12-11T18:00:00Z", with ".250" when there are milliseconds. Years 0001 to 9999.
std::string format_instant(Instant t);
// RFC 3339 with Z or an offset; seconds may be absent ("2026-12-11T18:00Z").
Result<Instant> parse_instant(std::string_view text);

// "1h30m", "250ms", "7d", "0s". Units: ms s m h d w, whole numbers, largest first.
std::string format_duration(Duration d);
// The same grammar, a decimal fraction allowed ("1.5h"); at most 100 years.
Result<Duration> parse_duration(std::string_view text);

}  // namespace showcaller
