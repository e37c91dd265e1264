// SPDX-License-Identifier: Apache-2.0
#include "model/exposure.h"

#include <algorithm>

namespace showcaller {
namespace {

bool admits_now(const EventState& event) {
  return event.manifest && may_admit(event.phase) && event.intake != IntakeState::Closed &&
         !event.diverted && event.stage >= 0 &&
         std::size_t(event.stage) < event.spec().stages.size();
}

// Staff and the like are let in by name and know it: no holdback is taken from them.
bool keeps_holdback(const StageSpec& stage) {
  return stage.gated || !stage.audience;
}

// What a stage entered so far lets in: the present one by what is in force, the ones before as the
// manifest says.
std::int64_t exposure_of(const EventState& event, int index) {
  const LiveEventSpec& spec = event.spec();
  const StageSpec& stage = spec.stages[std::size_t(index)];
  const std::int64_t most = keeps_holdback(stage) ? kPpmWhole - spec.watch.holdback_ppm : kPpmWhole;
  const bool last = std::size_t(index) + 1 == spec.stages.size();
  if (event.phase == Phase::Live && last) return std::max<std::int64_t>(0, most);
  const std::int64_t in_force = index == event.stage ? event.exposure_ppm : stage.exposure_ppm;
  return std::clamp<std::int64_t>(in_force, 0, std::max<std::int64_t>(0, most));
}

json::value audience_of(const StageSpec& stage) {
  json::value audience = stage.audience ? *stage.audience : json::value(nullptr);
  if (stage.regions.empty()) return audience;
  json::array regions;
  for (const std::string& region : stage.regions) regions.emplace_back(region);
  const json::value var = json::object{{"var", "region"}};
  json::value here = json::object{{"in", json::array{var, std::move(regions)}}};
  if (audience.is_null()) return here;
  return json::object{{"and", json::array{std::move(audience), std::move(here)}}};
}

bool has_region(const StageSpec& stage, std::string_view region) {
  return stage.regions.empty() ||
         std::find(stage.regions.begin(), stage.regions.end(), region) != stage.regions.end();
}

ExposureRule empty_rule(const EventState& event, std::string salt) {
  ExposureRule rule;
  rule.salt = std::move(salt);
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
    rule.stages.push_back(
        {audience_of(event.spec().stages[std::size_t(i)]), std::uint32_t(exposure_of(event, i))});
  }
  return rule;
}

ExposureRule eligibility_rule(const EventState& event, std::string salt) {
  ExposureRule rule = empty_rule(event, std::move(salt));
  if (!admits_now(event)) return rule;
  rule.stages.push_back(
      {audience_of(event.spec().stages[std::size_t(event.stage)]), std::uint32_t(kPpmWhole)});
  return rule;
}

ExposureRule exempt_rule(const EventState& event, std::string salt) {
  ExposureRule rule = empty_rule(event, std::move(salt));
  if (!admits_now(event)) return rule;
  const std::int64_t present = exposure_of(event, event.stage);
  for (int i = 0; i < event.stage; ++i) {
    if (exposure_of(event, i) <= present) continue;  // Nested: the present draw has them all.
    rule.stages.push_back(
        {audience_of(event.spec().stages[std::size_t(i)]), std::uint32_t(kPpmWhole)});
  }
  return rule;
}

std::int64_t canary_share_ppm(const EventState& event) {
  return admits_now(event) ? exposure_of(event, event.stage) : 0;
}

std::int64_t planned_share_ppm(const EventState& event, int stage, std::string_view region) {
  std::int64_t share = 0;
  for (int i = 0; i <= stage && std::size_t(i) < event.spec().stages.size(); ++i) {
    const StageSpec& spec = event.spec().stages[std::size_t(i)];
    if (!spec.audience && has_region(spec, region)) share = std::max(share, exposure_of(event, i));
  }
  return share;
}

std::int64_t reach_ppm(const EventState& event, int stage, std::string_view region) {
  std::int64_t reach = 0;
  for (int i = 0; i <= stage && std::size_t(i) < event.spec().stages.size(); ++i) {
    if (has_region(event.spec().stages[std::size_t(i)], region))
      reach = std::max(reach, exposure_of(event, i));
  }
  return reach;
}

bool doors_are_open(const EventState& event, std::string_view region) {
  if (!may_admit(event.phase) || event.intake != IntakeState::Open || event.diverted) return false;
  const auto& open = event.open_regions;
  return open.empty() || std::find(open.begin(), open.end(), region) != open.end();
}

}  // namespace showcaller
