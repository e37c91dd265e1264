// SPDX-License-Identifier: Apache-2.0
#include "flow/probe_schedule.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/hash.h"
#include "model/spec/live_event.h"

namespace showcaller {
namespace {

constexpr int kSilentPeriods = 3;  // after which nothing is known any more
constexpr std::size_t kPlacesMax = 256;

std::string in(const std::string& region) {
  return region.empty() ? "" : region + ": ";
}

}  // namespace

Duration pause_before(const ProbeSpec& spec, const std::string& probe, const std::string& region,
                      std::uint64_t journey) {
  if (journey <= 1) return Duration(0);
  const std::int64_t most = spec.every.count() * spec.jitter_ppm / kPpmWhole;
  if (most == 0) return spec.every;
  const std::uint64_t drawn = hash64(probe + "/" + region, journey) % std::uint64_t(2 * most + 1);
  return spec.every + Duration(std::int64_t(drawn) - most);
}

void ProbeStanding::note(const std::string& region, const std::string& wrong, Duration took,
                         Instant at) {
  if (!places_.contains(region) && places_.size() >= kPlacesMax) return;
  Place& place = places_[region];
  place.heard = at;
  place.wrong = wrong;
  ++place.journeys;
  if (wrong.empty()) {
    place.was_good = true;
    place.failures = 0;
    place.took = took;
  } else {
    ++place.failures;
    ++place.failed;
  }
}

std::string ProbeStanding::wrong_at(const ProbeSpec& spec, const std::string& region,
                                    Instant now) const {
  const auto found = places_.find(region);
  if (found == places_.end()) return in(region) + "no journey yet";
  const Place& place = found->second;
  if (now - place.heard > kSilentPeriods * spec.every + spec.timeout)
    return fmt::format("{}nothing heard since {}", in(region), format_instant(place.heard));
  if (place.was_good && place.failures < spec.failures) return {};
  return in(region) + place.wrong;
}

ProbeStanding::Verdict ProbeStanding::verdict(const ProbeSpec& spec, Instant now) const {
  std::vector<std::string> regions = spec.regions;
  if (regions.empty()) {
    for (const auto& [region, place] : places_) regions.push_back(region);
  }
  if (regions.empty()) regions.emplace_back();
  std::vector<std::string> wrong, good;
  for (const std::string& region : regions) {
    std::string why = wrong_at(spec, region, now);
    if (why.empty() && !region.empty()) good.push_back(region);
    if (!why.empty()) wrong.push_back(std::move(why));
  }
  if (wrong.empty()) return {true, fmt::format("{}", fmt::join(good, ", "))};
  return {false, fmt::format("{}", fmt::join(wrong, "; "))};
}

}  // namespace showcaller
