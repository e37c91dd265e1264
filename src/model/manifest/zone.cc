// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/zone.h"

#include <algorithm>
#include <stdexcept>

#include <date/tz.h>
#include <fmt/format.h>

namespace showcaller::manifest {
namespace {

const date::time_zone* find_zone(std::string_view name) {
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

Instant to_instant(LocalTime time, std::chrono::seconds offset) {
  return instant_ms(time.ms) - offset;
}

// The zone files give each change of clocks up to 2037 and the rule for later ones in a form that
// the date library does not read. A wrong hour would go unnoticed for years: later times are
// refused.
constexpr std::int64_t kZoneDataEndMs = 2'145'916'800'000;  // 2038-01-01T00:00

bool keeps_one_offset(std::string_view zone) {
  return zone == "UTC" || zone.starts_with("Etc/");
}

// The zone's offset at that time of the last year that its files know: "+01:00".
std::string last_known_offset(const date::time_zone& zone, LocalTime time) {
  const date::local_seconds local{std::chrono::floor<std::chrono::seconds>(Duration(time.ms))};
  const auto day = std::chrono::floor<date::days>(local);
  const date::year_month_day date{day};
  const int day_of_month = std::min(int(unsigned(date.day())), 28);
  const auto known = date::local_days{date::year(2037) / date.month() / day_of_month};
  const auto offset = zone.get_info(known + (local - day)).first.offset.count() / 60;
  return fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', std::abs(offset) / 60,
                     std::abs(offset) % 60);
}

std::string wall_text(LocalTime time) {
  std::string text = format_instant(instant_ms(time.ms));
  text.pop_back();
  return text;
}

}  // namespace

std::optional<LocalTime> parse_local_time(std::string_view text) {
  constexpr std::size_t kShortest = std::string_view("2026-12-18T18:00").size();
  if (text.size() < kShortest || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
  if (text.find_first_of("Zz+", 10) != std::string_view::npos) return std::nullopt;
  const auto as_if_utc = parse_instant(std::string(text) + "Z");
  if (!as_if_utc) return std::nullopt;
  return LocalTime{to_ms(*as_if_utc)};
}

bool zone_exists(std::string_view name) {
  // UTC needs no zone files.
  return name == "UTC" || std::ranges::binary_search(zone_names(), name);
}

const std::vector<std::string>& zone_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    try {
      const date::tzdb& database = date::get_tzdb();
      for (const date::time_zone& zone : database.zones) out.push_back(zone.name());
    } catch (const std::runtime_error&) {
      return out;
    }
    std::ranges::sort(out);
    return out;
  }();
  return names;
}

Result<std::optional<Instant>> resolve_local(LocalTime time, std::string_view zone,
                                             ClockChangeChoice choice) {
  if (zone == "UTC") return instant_ms(time.ms);
  const date::time_zone* found = find_zone(zone);
  if (found == nullptr) {
    return fail(ErrorCode::Invalid, fmt::format("there is no time zone '{}'", zone.substr(0, 64)));
  }
  if (time.ms >= kZoneDataEndMs && !keeps_one_offset(zone)) {
    return fail(
        ErrorCode::Unsupported,
        fmt::format(
            "{} lies past 2037, where this machine's zone data ends; write it with its offset, "
            "such as {}{}",
            wall_text(time), wall_text(time), last_known_offset(*found, time)));
  }
  try {
    const date::local_seconds local{std::chrono::floor<std::chrono::seconds>(Duration(time.ms))};
    const date::local_info info = found->get_info(local);
    if (info.result == date::local_info::unique) return to_instant(time, info.first.offset);
    if (info.result == date::local_info::ambiguous) {
      if (choice.on_overlap == OnOverlap::Earlier) return to_instant(time, info.first.offset);
      if (choice.on_overlap == OnOverlap::Later) return to_instant(time, info.second.offset);
      return fail(
          ErrorCode::Invalid,
          fmt::format(
              "{} comes twice in {}: clocks go back then; say `on_overlap: earlier` or `later`, or "
              "move the time",
              wall_text(time), zone));
    }
    if (choice.on_gap == OnGap::Shift) return to_instant(time, info.first.offset);
    if (choice.on_gap == OnGap::Skip) return std::nullopt;
    return fail(ErrorCode::Invalid, fmt::format("{} does not exist in {}: clocks go forward then; "
                                                "say `on_gap: shift` or `skip`, or move "
                                                "the time",
                                                wall_text(time), zone));
  } catch (const std::runtime_error& error) {
    return fail(ErrorCode::Unavailable,
                fmt::format("the zone files of {} cannot be read: {}", zone, error.what()));
  }
}

}  // namespace showcaller::manifest
