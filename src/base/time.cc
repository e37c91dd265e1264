// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace showcaller {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::year;
using std::chrono::year_month_day;

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<Unit, 6> kUnits{{{"w", 604'800'000},
                                      {"d", 86'400'000},
                                      {"h", 3'600'000},
                                      {"m", 60'000},
                                      {"s", 1'000},
                                      {"ms", 1}}};
constexpr std::int64_t kDurationMsMax = 100LL * 366 * 86'400'000;

// Reads exactly `digits` digits at `*at`; -1 when they are not there.
int read_digits(std::string_view text, std::size_t* at, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i, ++*at) {
    if (*at >= text.size() || text[*at] < '0' || text[*at] > '9') return -1;
    value = value * 10 + (text[*at] - '0');
  }
  return value;
}

bool read_char(std::string_view text, std::size_t* at, std::string_view any_of) {
  if (*at >= text.size() || any_of.find(text[*at]) == std::string_view::npos) return false;
  ++*at;
  return true;
}

std::unexpected<Error> not_an_instant(std::string_view text) {
  return fail(ErrorCode::Invalid,
              fmt::format("'{}' is not an RFC 3339 time; write it like 2026-12-18T18:00:00Z",
                          text.substr(0, 64)));
}

std::unexpected<Error> not_a_duration(std::string_view text) {
  return fail(ErrorCode::Invalid,
              fmt::format("'{}' is not a duration; write it like 90s, 1h30m or 7d (units ms s m h "
                          "d w, at most 100 years)",
                          text.substr(0, 64)));
}

}  // namespace

std::string format_instant(Instant t) {
  const auto days = std::chrono::floor<std::chrono::days>(t);
  const year_month_day date(days);
  const std::int64_t ms = (t - days).count();
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()), unsigned(date.month()),
                  unsigned(date.day()), ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60);
  if (ms % 1000 != 0) out += fmt::format(".{:03}", ms % 1000);
  return out + "Z";
}

Result<Instant> parse_instant(std::string_view text) {
  std::size_t at = 0;
  const int y = read_digits(text, &at, 4);
  if (y < 1 || !read_char(text, &at, "-")) return not_an_instant(text);
  const int mo = read_digits(text, &at, 2);
  if (mo < 1 || !read_char(text, &at, "-")) return not_an_instant(text);
  const int d = read_digits(text, &at, 2);
  if (d < 1 || !read_char(text, &at, "Tt ")) return not_an_instant(text);
  const int h = read_digits(text, &at, 2);
  if (h < 0 || h > 23 || !read_char(text, &at, ":")) return not_an_instant(text);
  const int mi = read_digits(text, &at, 2);
  if (mi < 0 || mi > 59) return not_an_instant(text);
  int s = 0;
  std::int64_t ms = 0;
  if (read_char(text, &at, ":")) {
    s = read_digits(text, &at, 2);
    if (s < 0 || s > 59) return not_an_instant(text);
    if (read_char(text, &at, ".")) {
      int digits = 0;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
        if (digits < 3) ms = ms * 10 + (text[at] - '0');
      }
      if (digits == 0) return not_an_instant(text);
      for (; digits < 3; ++digits) ms *= 10;
    }
  }
  std::int64_t offset_minutes = 0;
  if (!read_char(text, &at, "Zz")) {
    const bool west = at < text.size() && text[at] == '-';
    if (!read_char(text, &at, "+-")) return not_an_instant(text);
    const int oh = read_digits(text, &at, 2);
    if (oh < 0 || oh > 23 || !read_char(text, &at, ":")) return not_an_instant(text);
    const int om = read_digits(text, &at, 2);
    if (om < 0 || om > 59) return not_an_instant(text);
    offset_minutes = (oh * 60 + om) * (west ? -1 : 1);
  }
  const year_month_day date{year(y), month(unsigned(mo)), day(unsigned(d))};
  if (at != text.size() || !date.ok()) return not_an_instant(text);
  return Instant(std::chrono::sys_days(date)) + hours(h) + minutes(mi) + seconds(s) + Duration(ms) -
         minutes(offset_minutes);
}

std::string format_duration(Duration d) {
  std::int64_t left = d.count();
  if (left == 0) return "0s";
  std::string out = left < 0 ? "-" : "";
  left = left < 0 ? -left : left;
  for (const Unit& unit : kUnits) {
    if (unit.name == "w") continue;  // Nobody reads 2w3d faster than 17d.
    if (left >= unit.ms) out += fmt::format("{}{}", left / unit.ms, unit.name);
    left %= unit.ms;
  }
  return out;
}

Result<Duration> parse_duration(std::string_view text) {
  std::int64_t total_ms = 0;
  std::size_t at = 0;
  std::size_t next_unit = 0;
  if (text.empty()) return not_a_duration(text);
  while (at < text.size()) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value,
                                              std::chars_format::fixed);
    if (error != std::errc() || text[at] == '-' || !std::isfinite(value))
      return not_a_duration(text);
    at = std::size_t(end - text.data());
    std::size_t unit = next_unit;
    std::size_t length = 0;
    while (at + length < text.size() && text[at + length] >= 'a' && text[at + length] <= 'z')
      ++length;
    while (unit < kUnits.size() && kUnits[unit].name != text.substr(at, length)) ++unit;
    if (unit == kUnits.size()) return not_a_duration(text);
    const double ms = value * double(kUnits[unit].ms);
    if (ms > double(kDurationMsMax)) return not_a_duration(text);
    total_ms += std::llround(ms);
    if (total_ms > kDurationMsMax) return not_a_duration(text);
    at += length;
    next_unit = unit + 1;
  }
  return Duration(total_ms);
}

}  // namespace showcaller
