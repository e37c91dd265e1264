// SPDX-License-Identifier: Apache-2.0
#include "flow/flag_reach.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "flow/flag_snapshot.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

json::array list_of(const std::set<std::string, std::less<>>& names) {
  return json::array(names.begin(), names.end());
}

void read_names(const json::object& object, std::string_view member,
                std::set<std::string, std::less<>>* names) {
  const json::value* list = get_if(object, member);
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& name : list->get_array()) {
    if (name.is_string()) names->emplace(std::string_view(name.get_string()));
  }
}

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

json::object FlagReach::to_json() const {
  json::object out{{"flags", list_of(flags_)},
                   {"documents", list_of(documents_)},
                   {"regions", list_of(regions_)}};
  if (!admits_) return out;
  const ExposureRule& rule = admits_->rule();
  json::array stages;
  for (const ExposureStage& stage : rule.stages)
    stages.push_back({{"audience", stage.audience}, {"exposure_ppm", stage.exposure_ppm}});
  out["admits"] = {{"salt", rule.salt}, {"unit", rule.unit}, {"stages", std::move(stages)}};
  return out;
}

Result<FlagReach> FlagReach::from_json(const json::object& object) {
  FlagReach out;
  read_names(object, "flags", &out.flags_);
  read_names(object, "documents", &out.documents_);
  read_names(object, "regions", &out.regions_);
  const json::value* admits = get_if(object, "admits");
  if (admits == nullptr) return out;
  const json::object* given = admits->if_object();
  const json::value* stages = given != nullptr ? get_if(*given, "stages") : nullptr;
  if (stages == nullptr || !stages->is_array())
    return fail(ErrorCode::Invalid, "whom an event reaches has no `stages`");
  ExposureRule rule{.salt = get_string(*given, "salt"), .unit = get_string(*given, "unit")};
  for (const json::value& stage : stages->get_array()) {
    const json::object* each = stage.if_object();
    const json::value* audience = each != nullptr ? get_if(*each, "audience") : nullptr;
    const std::int64_t ppm = each != nullptr ? get_int(*each, "exposure_ppm") : -1;
    if (audience == nullptr || ppm < 0 || ppm > kExposureWhole)
      return fail(ErrorCode::Invalid, "a stage of whom an event reaches is none");
    rule.stages.push_back({.audience = *audience, .exposure_ppm = std::uint32_t(ppm)});
  }
  TRY(out.admits_, Exposure::compile(std::move(rule)));
  return out;
}

json::array reaches_to_json(const EventReaches& reaches) {
  json::array out;
  for (const EventReach& reach : reaches) {
    json::object each = reach.flags.to_json();
    each["event"] = reach.event;
    each["revision"] = reach.revision;
    each["visit"] = reach.visit;
    out.push_back(std::move(each));
  }
  return out;
}

Result<EventReaches> reaches_from_json(const json::value& value) {
  if (!value.is_array()) return fail(ErrorCode::Invalid, "whom events reach is no list");
  EventReaches out;
  for (const json::value& each : value.get_array()) {
    if (!each.is_object()) return fail(ErrorCode::Invalid, "whom an event reaches is no object");
    const json::object& object = each.get_object();
    TRY(FlagReach flags, FlagReach::from_json(object));
    out.push_back({get_string(object, "event"), get_int(object, "revision"),
                   get_int(object, "visit"), std::move(flags)});
  }
  return out;
}

std::vector<LedgerEntry> exposures_of(const EventReaches& reaches, const json::object& context,
                                      std::string_view flag, Instant now) {
  const std::string player = get_string(context, "targetingKey");
  const std::string region = get_string(context, "region");
  std::vector<LedgerEntry> out;
  if (player.empty()) return out;
  const EvaluationContext who(context);
  for (const EventReach& reach : reaches) {
    if (!reach.flags.reaches(flag, who, now)) continue;
    out.push_back(
        {reach.event, reach.revision, reach.visit, region, player, {}, LedgerSource::Served, now});
  }
  return out;
}

std::string FlagReach::text() const {
  if (!admits_) return "nobody";
  const auto targeting = exposure_targeting(admits_->rule());
  return fmt::format("{} {} {} {}", flags_, documents_, regions_,
                     targeting ? to_json_text(*targeting) : "");
}

}  // namespace showcaller
