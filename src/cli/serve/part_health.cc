// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/part_health.h"

#include <algorithm>

#include <fmt/format.h>

namespace showcaller {

void PartHealth::note(const Status& status) {
  const Instant now = wall_();
  std::lock_guard lock(mutex_);
  if (status) {
    at_ = now;
    wrong_since_.reset();
    return;
  }
  if (!wrong_since_) wrong_since_ = now;
  wrong_ = status.error().message;
}

json::object PartHealth::read(std::string_view kind, std::string_view name) const {
  std::lock_guard lock(mutex_);
  json::object out{{"name", name}, {"kind", kind}, {"ok", !wrong_since_}};
  out["detail"] = wrong_since_ ? wrong_ : at_ ? "answers" : "nothing was asked of it yet";
  if (at_) out["at"] = format_instant(*at_);
  if (wrong_since_) out["since"] = format_instant(*wrong_since_);
  return out;
}

Result<EvidenceMark> WatchedEvidence::append(std::string_view stream, std::string_view line) {
  auto mark = store_.append(stream, line);
  // Appended is not yet stored: that it is well is said by flush() alone.
  if (!mark) health_.note(std::unexpected(mark.error()));
  return mark;
}

Status WatchedEvidence::flush() {
  Status stored = store_.flush();
  health_.note(stored);
  return stored;
}

Result<std::vector<ObservedInstance>> WatchedDriver::observe() {
  auto observed = driver_.observe();
  const Status told = std::exchange(trouble_, Status());
  health_.note(observed ? told : Status(std::unexpected(observed.error())));
  return observed;
}

// A driver that is seen but does nothing is not well: the next look tells.
Status WatchedDriver::apply(std::uint64_t epoch, std::span<const FleetAction> actions) {
  Status applied = driver_.apply(epoch, actions);
  if (!applied && trouble_) trouble_ = applied;
  return applied;
}

void RelaySightings::heard(std::string place, std::string token, Instant now) {
  std::lock_guard lock(mutex_);
  if (by_place_.size() >= kRelaysMax && !by_place_.contains(place)) {
    by_place_.erase(
        std::ranges::min_element(by_place_, {}, [](const auto& one) { return one.second.at; }));
  }
  by_place_.insert_or_assign(std::move(place), Sighting{std::move(token), now});
}

void RelaySightings::read(Instant now, json::array* parts) const {
  std::lock_guard lock(mutex_);
  for (const auto& [place, sighting] : by_place_) {
    const Duration silence = now - sighting.at;
    const bool there = silence <= kSilenceMax;
    parts->push_back(json::object{
        {"name", place},
        {"kind", "relay"},
        {"ok", there},
        {"detail",
         there ? fmt::format("asks, as {}", sighting.token)
               : fmt::format("was not heard of for {}; it goes on from what it knew",
                             format_duration(std::chrono::floor<std::chrono::seconds>(silence)))},
        {"at", format_instant(sighting.at)}});
  }
}

}  // namespace showcaller
