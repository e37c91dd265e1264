// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/schedule.h"

#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "model/manifest/zone.h"

namespace showcaller::manifest {
namespace {

// One time, resolved: by region, or under the empty name when there is one for all.
using Times = std::map<std::string, Instant>;

class ScheduleResolver {
 public:
  ScheduleResolver(Reader& reader, Node* schedule, std::span<const RegionZone> regions,
                   MissingReference missing)
      : reader_(reader), schedule_(schedule), regions_(regions), missing_(missing) {}

  // True: at least one time was resolved from a zone.
  bool resolve();

 private:
  std::optional<Times> resolve_text(std::string_view key, const Node& node);
  std::optional<Times> resolve_local_text(std::string_view key, const Node& node, LocalTime time);
  std::optional<Times> resolve_relative(const Node& node);
  std::optional<Times> read_resolved(const Node& node);
  void resolve_key(std::string_view key);
  void put(std::string_view key, const Node& old, const Times& times);
  void remove(std::string_view key);
  void report_no_regions(const Node& node);

  Reader& reader_;
  Node* schedule_;
  std::span<const RegionZone> regions_;
  std::string zone_ = "UTC";
  bool zone_known_ = true;
  ClockChangeChoice choice_;
  MissingReference missing_;
  std::optional<Times> start_;
  std::optional<LocalTime> local_start_;  // as written, in the schedule's zone
  bool used_zone_ = false;
  bool told_no_regions_ = false;
  bool start_is_open_ = false;  // written, and not resolved: a finding says why
};

bool ScheduleResolver::resolve() {
  if (const Node* zone = schedule_->find("zone")) {
    zone_ = zone->text;
    zone_known_ = zone->is_string() && (zone_ == "local" || zone_exists(zone_));
  }
  if (const Node* gap = schedule_->find("on_gap")) {
    if (gap->text == "shift") choice_.on_gap = OnGap::Shift;
    if (gap->text == "skip") choice_.on_gap = OnGap::Skip;
  }
  if (const Node* overlap = schedule_->find("on_overlap")) {
    if (overlap->text == "earlier") choice_.on_overlap = OnOverlap::Earlier;
    if (overlap->text == "later") choice_.on_overlap = OnOverlap::Later;
  }
  // Relative times need the start.
  for (const std::string_view key : {"start", "announce", "end"}) resolve_key(key);
  return used_zone_;
}

void ScheduleResolver::resolve_key(std::string_view key) {
  const Node* written = schedule_->find(key);
  if (written == nullptr) return;
  const Node node = *written;
  const Reader::Inside inside(&reader_, key);
  std::optional<Times> times;
  if (node.is_mapping()) {
    times = read_resolved(node);
    if (key == "start") start_ = times;
    return;  // Resolved already; the typed reader says what is wrong with it.
  }
  if (!node.is_string()) {
    reader_.wrong_type(node, "a time such as 2026-12-18T18:00");
  } else {
    times = resolve_text(key, node);
  }
  if (key == "start") {
    start_ = times;
    start_is_open_ = !times;
    if (node.is_string()) local_start_ = parse_local_time(node.text);
  }
  if (times) {
    put(key, node, *times);
  } else {
    reader_.leave_open();
    remove(key);
  }
}

std::optional<Times> ScheduleResolver::read_resolved(const Node& node) {
  Times times;
  for (const Entry& entry : node.entries) {
    const auto instant = parse_instant(entry.value.text);
    if (instant) times[entry.key] = *instant;
  }
  return times.empty() ? std::nullopt : std::optional(times);
}

std::optional<Times> ScheduleResolver::resolve_text(std::string_view key, const Node& node) {
  if (const auto absolute = parse_instant(node.text)) return Times{{"", *absolute}};
  if (const auto local = parse_local_time(node.text)) return resolve_local_text(key, node, *local);
  if (node.text.ends_with(" start")) return resolve_relative(node);
  reader_.wrong_type(
      node, "a time such as 2026-12-18T18:00",
      node.text.size() == 10 ? "add the hour: " + node.text + "T18:00" : "or `5d before start`");
  return std::nullopt;
}

std::optional<Times> ScheduleResolver::resolve_local_text(std::string_view key, const Node& node,
                                                          LocalTime time) {
  if (!zone_known_) return std::nullopt;  // The typed reader reports the zone.
  used_zone_ = true;
  Times times;
  const std::vector<RegionZone> one = {{"", zone_}};
  const std::span<const RegionZone> regions =
      zone_ == "local" ? regions_ : std::span<const RegionZone>(one);
  if (regions.empty()) {
    report_no_regions(node);
    return std::nullopt;
  }
  std::set<std::string> told;
  std::string skipped;
  for (const RegionZone& region : regions) {
    const auto instant = resolve_local(time, region.zone, choice_);
    if (!instant) {
      if (told.insert(region.zone).second) reader_.error(node.position, instant.error().message);
    } else if (*instant) {
      times[region.region] = **instant;
    } else {
      skipped = region.zone;
    }
  }
  if (!told.empty()) return std::nullopt;
  if (key == "start" && !skipped.empty()) {
    reader_.error(node.position,
                  fmt::format("{} does not exist in {}, and where the start is skipped nothing "
                              "would ever open",
                              node.text, skipped),
                  "say `on_gap: shift`, or move the time");
    return std::nullopt;
  }
  if (times.empty()) {
    reader_.error(node.position,
                  fmt::format("{} is skipped by `on_gap: skip`, and nothing is left", node.text),
                  "say `on_gap: shift`, or move the time");
    return std::nullopt;
  }
  return times;
}

// Offline the fleets may be on the server. Told once: the other times wait for the same fleets.
void ScheduleResolver::report_no_regions(const Node& node) {
  const std::string message = "zone is local, and no fleet says which regions there are";
  const std::string hint = "add the Fleet to the files, or name a zone such as Europe/Berlin";
  if (told_no_regions_) return;
  told_no_regions_ = true;
  if (missing_ == MissingReference::Error) {
    reader_.error(node.position, message, hint);
  } else {
    reader_.warning(node.position, message + " in these files", hint);
  }
}

std::optional<Times> ScheduleResolver::resolve_relative(const Node& node) {
  std::string_view words = node.text;
  const bool before = words.ends_with(" before start");
  const bool after = words.ends_with(" after start");
  if (!before && !after) {
    reader_.wrong_type(node, "a time such as 2026-12-18T18:00",
                       "or `5d before start`, `3d after start`");
    return std::nullopt;
  }
  words.remove_suffix(std::string_view(before ? " before start" : " after start").size());
  const auto distance = parse_duration(words);
  if (!distance) {
    reader_.error(node.position, distance.error().message);
    return std::nullopt;
  }
  if (start_is_open_) return std::nullopt;
  if (!start_) {
    reader_.error(node.position, "the time is relative to the start, and the schedule has no start",
                  "add `start:`, or write the time itself");
    return std::nullopt;
  }
  const bool whole_days = words.find_first_of("hms") == std::string_view::npos;
  if (whole_days && local_start_) {
    const std::int64_t ms = before ? -distance->count() : distance->count();
    return resolve_local_text("", node, {local_start_->ms + ms});
  }
  Times times = *start_;
  for (auto& [region, instant] : times) instant += before ? -*distance : *distance;
  return times;
}

void ScheduleResolver::put(std::string_view key, const Node& old, const Times& times) {
  if (times.contains("")) {
    schedule_->set(key, string_node(format_instant(times.at("")), old.position));
    return;
  }
  Node by_region = mapping_node(old.position);
  for (const auto& [region, instant] : times) {
    by_region.entries.push_back(
        {region, old.position, string_node(format_instant(instant), old.position)});
  }
  schedule_->set(key, std::move(by_region));
}

void ScheduleResolver::remove(std::string_view key) {
  std::erase_if(schedule_->entries, [&](const Entry& entry) { return entry.key == key; });
}

}  // namespace

void resolve_schedule(Reader& reader, Node* spec, std::span<const RegionZone> regions,
                      MissingReference missing, std::string_view tzdata_version) {
  Node* schedule = spec->find("schedule");
  if (schedule == nullptr || !schedule->is_mapping()) return;
  const Reader::Inside inside(&reader, "schedule");
  const bool used_zone = ScheduleResolver(reader, schedule, regions, missing).resolve();
  if (used_zone && !tzdata_version.empty()) {
    schedule->set("tzdata", string_node(tzdata_version, schedule->position));
  }
}

}  // namespace showcaller::manifest
