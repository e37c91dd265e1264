// SPDX-License-Identifier: Apache-2.0
#include "host/demand_history.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "analysis/demand_forecast.h"
#include "base/json.h"

namespace showcaller {
namespace {

constexpr int kWeeksKept = 5;
constexpr Duration kHour = hours(1), kWeek = hours(24 * 7);
constexpr Duration kToldEvery = minutes(15);
constexpr std::size_t kRegionsMax = 256;
// Of the last two days so much must be known: from older hours alone nothing is concluded.
constexpr int kRecentHours = 48, kRecentKnownMin = 24;
constexpr std::int64_t kSessionsMax = 1'000'000'000;

Instant hour_of(Instant wall) {
  return std::chrono::floor<std::chrono::hours>(wall);
}

// The Monday of the week, at midnight UTC. 1970 began with a Thursday.
Instant week_of(Instant wall) {
  const std::int64_t ms = to_ms(wall) + 3 * 86'400'000;
  return instant_ms(ms - ms % kWeek.count() - 3 * 86'400'000);
}

void raise(const SessionsByRegion& seen, SessionsByRegion* most, bool* risen) {
  for (const auto& [region, sessions] : seen) {
    if (!most->contains(region) && most->size() >= kRegionsMax) continue;
    const auto [at, is_new] = most->try_emplace(region, sessions);
    if (!is_new && at->second >= sessions) continue;
    at->second = sessions;
    *risen = true;
  }
}

// Absent: no such line.
std::optional<std::pair<Instant, SessionsByRegion>> hour_in(std::string_view text) {
  const auto line = parse_json(text);
  if (!line || !line->is_object()) return std::nullopt;
  const auto hour = parse_instant(get_string(line->get_object(), "hour"));
  const json::value* sessions = get_if(line->get_object(), "sessions");
  if (!hour || hour_of(*hour) != *hour || !sessions || !sessions->is_object()) return std::nullopt;
  std::pair<Instant, SessionsByRegion> out{*hour, {}};
  for (const auto& [region, count] : sessions->get_object()) {
    if (!count.is_int64() || count.get_int64() < 0 || count.get_int64() > kSessionsMax)
      return std::nullopt;
    out.second[std::string(region)] = count.get_int64();
  }
  return out;
}

std::vector<double> values_of(const std::map<Instant, SessionsByRegion>& hours,
                              const std::string& region, Instant first, Instant end) {
  std::vector<double> out(std::size_t((end - first) / kHour),
                          std::numeric_limits<double>::quiet_NaN());
  for (const auto& [hour, sessions] : hours) {
    if (hour < first || hour >= end) continue;
    // Who was looked for and not seen was not there.
    const auto at = sessions.find(region);
    out[std::size_t((hour - first) / kHour)] = at == sessions.end() ? 0 : double(at->second);
  }
  return out;
}

}  // namespace

std::string demand_stream(const std::string& fleet, Instant hour) {
  return fmt::format("fleet/{}/demand/{}", fleet, format_instant(week_of(hour)).substr(0, 10));
}

std::string demand_line(Instant hour, const SessionsByRegion& sessions) {
  json::object by_region;
  for (const auto& [region, count] : sessions) by_region[region] = count;
  return to_json_text(
      json::object{{"hour", format_instant(hour)}, {"sessions", std::move(by_region)}});
}

DemandOutlook outlook_of(const std::map<Instant, SessionsByRegion>& hours, Instant now_hour) {
  DemandOutlook out;
  out.from = now_hour;
  std::set<std::string> regions;
  int recent = 0;
  for (const auto& [hour, sessions] : hours) {
    if (hour >= now_hour) continue;
    ++out.hours_known;
    recent += hour >= now_hour - kRecentHours * kHour;
    for (const auto& [region, count] : sessions) regions.insert(region);
  }
  for (const std::string& region : regions)
    out.past[region] = values_of(hours, region, now_hour - kPastHours * kHour, now_hour);
  if (out.hours_known < kHoursForDays || recent < kRecentKnownMin) return out;
  out.basis = out.hours_known < kHoursForWeeks ? ForecastBasis::Days : ForecastBasis::Weeks;
  const Instant first = hours.begin()->first;
  for (const std::string& region : regions) {
    const RegularSeries series{first, kHour, values_of(hours, region, first, now_hour), {}};
    out.sessions[region] = forecast_demand(series, kForecastHours).upper;
  }
  return out;
}

void DemandHistory::read_week(const std::string& stream, Fleet* fleet, std::vector<Error>* errors) {
  std::size_t unread = 0;
  const Status read = store_->read(stream, [&](std::string_view text, const EvidenceMark&) {
    bool risen = false;
    if (const auto line = hour_in(text))
      raise(line->second, &fleet->hours[line->first], &risen);
    else
      ++unread;
    return true;
  });
  if (!read) errors->push_back(read.error());
  if (unread == 0) return;
  errors->push_back(
      {ErrorCode::Corrupt,
       fmt::format("{} lines of {} can't be read and are passed over; the forecast of "
                   "the fleet's demand goes without these hours",
                   unread, stream)});
}

DemandHistory::Fleet& DemandHistory::fleet_of(const std::string& name, Instant hour,
                                              std::vector<Error>* errors) {
  const auto [at, is_new] = fleets_.try_emplace(name);
  if (!is_new) return at->second;
  for (int week = kWeeksKept; week >= 0; --week)
    read_week(demand_stream(name, hour - week * kWeek), &at->second, errors);
  return at->second;
}

bool DemandHistory::tell(const std::string& name, Instant hour, const Fleet& fleet,
                         std::vector<Error>* errors) {
  const std::string stream = demand_stream(name, hour);
  const auto stored = store_->append(stream, demand_line(hour, fleet.hours.at(hour)));
  const Status flushed = stored ? store_->flush() : Status(std::unexpected(stored.error()));
  if (!flushed) errors->push_back(flushed.error());
  store_->close(stream);
  return flushed.has_value();
}

std::shared_ptr<const DemandOutlook> DemandHistory::observe(const std::string& name,
                                                            const SessionsByRegion& sessions,
                                                            Instant wall,
                                                            std::vector<Error>* errors) {
  const Instant hour = hour_of(wall);
  Fleet& fleet = fleet_of(name, hour, errors);
  // A clock that went back has hours before it that did not happen.
  fleet.hours.erase(fleet.hours.upper_bound(hour), fleet.hours.end());
  fleet.hours.erase(fleet.hours.begin(), fleet.hours.lower_bound(hour - kWeeksKept * kWeek));
  const bool begins = !fleet.outlook || fleet.outlook->from != hour;
  if (begins && fleet.untold && !fleet.hours.empty()) {
    (void)tell(name, fleet.hours.rbegin()->first, fleet, errors);
    fleet.untold = false;
  }
  bool risen = !fleet.hours.contains(hour);
  raise(sessions, &fleet.hours[hour], &risen);
  fleet.untold = fleet.untold || risen;
  if (fleet.untold && (wall < fleet.told || wall - fleet.told >= kToldEvery)) {
    fleet.told = wall;  // A disk that refuses is asked again with the next quarter.
    fleet.untold = !tell(name, hour, fleet, errors);
  }
  if (begins) fleet.outlook = std::make_shared<const DemandOutlook>(outlook_of(fleet.hours, hour));
  return fleet.outlook;
}

}  // namespace showcaller
