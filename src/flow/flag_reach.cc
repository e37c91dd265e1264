// SPDX-License-Identifier: Apache-2.0
#include "flow/flag_reach.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "flow/flag_snapshot.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

std::string_view region_of(const EvaluationContext& who) {
  const Value region = who.find("region");
  return region.is(ValueKind::String) ? region.as_string() : std::string_view();
}

}  // namespace

FlagReach::FlagReach(const World& world, const EventState& event, std::string salt) {
  if (!event.manifest) return;
  for (const Change& change : event.spec().changes) {
    const auto* flag = std::get_if<FlagChange>(&change.what);
    if (flag && event.intake == IntakeState::Open) flags_.insert(flag->key);
    if (const auto* config = std::get_if<ConfigChange>(&change.what))
      documents_.insert(fmt::format("{}{}", kConfigPrefix, config->document));
  }
  const auto lies_below = [&](const std::string& flag) {
    return world.killed(flag) != nullptr || withdrawal_of(world, flag).feature != nullptr;
  };
  std::erase_if(flags_, lies_below);
  std::erase_if(documents_, lies_below);
  regions_.insert(event.open_regions.begin(), event.open_regions.end());
  ExposureRule rule = exposure_rule(event, std::move(salt));
  if ((flags_.empty() && documents_.empty()) || rule.stages.empty()) return;
  if (auto compiled = Exposure::compile(std::move(rule))) admits_ = *std::move(compiled);
}

bool FlagReach::reaches(std::string_view flag, const EvaluationContext& who, Instant now) const {
  if (!admits_) return false;
  const auto asked = [&](const Names& names) {
    return flag.empty() ? !names.empty() : names.contains(flag);
  };
  const bool doors_open = regions_.empty() || regions_.contains(region_of(who));
  const bool concerned = (asked(flags_) && doors_open) || asked(documents_);
  return concerned && admits_->admits(who, now);
}

bool FlagReach::knows_no_unit_of(const EvaluationContext& who) const {
  return admits_ && who.find(admits_->rule().unit).is_nullish();
}

std::string FlagReach::text() const {
  if (!admits_) return "nobody";
  const auto targeting = exposure_targeting(admits_->rule());
  return fmt::format("{} {} {} {}", flags_, documents_, regions_,
                     targeting ? to_json_text(*targeting) : "");
}

}  // namespace showcaller
