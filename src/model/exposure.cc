// SPDX-License-Identifier: Apache-2.0
#include "model/exposure.h"

#include <algorithm>
#include <cmath>

#include "base/deliberate_bug.h"

namespace showcaller {
namespace {

bool admits_now(const EventState& event) {
  return event.manifest && may_admit(event.phase) && event.intake != IntakeState::Closed &&
         (!event.diverted || broken(DeliberateBug::DivertIgnored)) && event.stage >= 0 &&
         std::size_t(event.stage) < event.spec().stages.size();
}

// Staff and the like are let in by name and know it: no holdback is taken from them.
bool keeps_holdback(const StageSpec& stage) {
  return stage.gated || !stage.audience;
}

// What a stage entered so far lets in: the present one by what is in force, the ones before by what
// they reached.
std::int64_t exposure_of(const EventState& event, int index) {
  const LiveEventSpec& spec = event.spec();
  const StageSpec& stage = spec.stages[std::size_t(index)];
  const std::int64_t most = keeps_holdback(stage) ? kPpmWhole - spec.watch.holdback_ppm : kPpmWhole;
  const bool last = std::size_t(index) + 1 == spec.stages.size();
  if (event.phase == Phase::Live && last) return std::max<std::int64_t>(0, most);
  const std::int64_t in_force =
      index == event.stage ? event.exposure_ppm : reached_ppm(event, index);
  return std::clamp<std::int64_t>(in_force, 0, std::max<std::int64_t>(0, most));
}

json::value is_in_one_of(const std::vector<std::string>& regions) {
  json::array names;
  for (const std::string& region : regions) names.emplace_back(region);
  const json::value var = json::object{{"var", "region"}};
  return json::object{{"in", json::array{var, std::move(names)}}};
}

json::value audience_of(const EventState& event, int index) {
  const StageSpec& stage = event.spec().stages[std::size_t(index)];
  json::array all;
  if (stage.audience) all.push_back(*stage.audience);
  if (!stage.regions.empty()) all.push_back(is_in_one_of(stage.regions));
  if (event.bounds) {
    const std::string_view unit = unit_attribute(event.spec().assigned_unit());
    for (json::value& each : bounds_conditions(*event.bounds, unit)) all.push_back(std::move(each));
  }
  if (!event.closed_regions.empty())
    all.push_back(json::object{{"!", json::array{is_in_one_of(event.closed_regions)}}});
  if (all.empty()) return nullptr;
  if (all.size() == 1) return std::move(all[0]);
  return json::object{{"and", std::move(all)}};
}

// What is left of a share of all units: those outside the bounds are no part of it.
std::int64_t within_bounds(const EventState& event, std::int64_t share_ppm) {
  if (!event.bounds) return share_ppm;
  double share = double(share_ppm);
  if (!event.bounds->group.empty()) share *= double(size_of(event.bounds->buckets)) / kPpmWhole;
  for (const auto& [holdout, out] : event.bounds->holdouts)
    share *= double(kPpmWhole - out) / kPpmWhole;
  return std::int64_t(std::ceil(share));
}

bool contains(const std::vector<std::string>& regions, std::string_view region) {
  return std::find(regions.begin(), regions.end(), region) != regions.end();
}

bool has_region(const EventState& event, const StageSpec& stage, std::string_view region) {
  return !contains(event.closed_regions, region) &&
         (stage.regions.empty() || contains(stage.regions, region));
}

ExposureRule empty_rule(const EventState& event, std::string salt) {
  ExposureRule rule;
  rule.salt = std::move(salt);
  if (broken(DeliberateBug::ShuffledWhenWider)) rule.salt += char('a' + event.stage);
  rule.unit =
      event.manifest ? unit_attribute(event.spec().assigned_unit()) : unit_attribute(Unit::Player);
  return rule;
}

}  // namespace

std::string_view unit_attribute(Unit unit) {
  switch (unit) {
    case Unit::Player:
      return kTargetingKey;
    case Unit::Party:
      return "party";
    case Unit::Guild:
      return "guild";
    case Unit::Match:
      return "match";
  }
  return kTargetingKey;
}

ExposureRule exposure_rule(const EventState& event, std::string salt) {
  ExposureRule rule = empty_rule(event, std::move(salt));
  if (!admits_now(event)) return rule;
  for (int i = 0; i <= event.stage; ++i) {
    rule.stages.push_back({audience_of(event, i), std::uint32_t(exposure_of(event, i))});
  }
  return rule;
}

ExposureRule eligibility_rule(const EventState& event, std::string salt) {
  ExposureRule rule = empty_rule(event, std::move(salt));
  if (!admits_now(event)) return rule;
  rule.stages.push_back({audience_of(event, event.stage), std::uint32_t(kPpmWhole)});
  return rule;
}

ExposureRule exempt_rule(const EventState& event, std::string salt) {
  ExposureRule rule = empty_rule(event, std::move(salt));
  if (!admits_now(event)) return rule;
  const std::int64_t present = exposure_of(event, event.stage);
  for (int i = 0; i < event.stage; ++i) {
    if (exposure_of(event, i) <= present) continue;  // Nested: the present draw has them all.
    rule.stages.push_back({audience_of(event, i), std::uint32_t(kPpmWhole)});
  }
  return rule;
}

std::int64_t reached_ppm(const EventState& event, int stage) {
  const StageSpec& spec = event.spec().stages[std::size_t(stage)];
  const auto widened = event.widened_ppm.find(spec.name);
  return widened == event.widened_ppm.end() ? spec.exposure_ppm
                                            : std::max(spec.exposure_ppm, widened->second);
}

std::int64_t canary_share_ppm(const EventState& event) {
  return admits_now(event) ? exposure_of(event, event.stage) : 0;
}

std::int64_t planned_share_ppm(const EventState& event, int stage, std::string_view region) {
  std::int64_t share = 0;
  for (int i = 0; i <= stage && std::size_t(i) < event.spec().stages.size(); ++i) {
    const StageSpec& spec = event.spec().stages[std::size_t(i)];
    if (!spec.audience && has_region(event, spec, region))
      share = std::max(share, exposure_of(event, i));
  }
  return within_bounds(event, share);
}

std::int64_t reach_ppm(const EventState& event, int stage, std::string_view region) {
  std::int64_t reach = 0;
  for (int i = 0; i <= stage && std::size_t(i) < event.spec().stages.size(); ++i) {
    if (has_region(event, event.spec().stages[std::size_t(i)], region))
      reach = std::max(reach, exposure_of(event, i));
  }
  return within_bounds(event, reach);
}

bool doors_are_open(const EventState& event, std::string_view region) {
  if (!may_admit(event.phase) || event.intake != IntakeState::Open || event.diverted) return false;
  if (contains(event.closed_regions, region)) return false;
  return event.open_regions.empty() || contains(event.open_regions, region);
}

}  // namespace showcaller
