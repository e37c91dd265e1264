// SPDX-License-Identifier: Apache-2.0
#include "flag/exposure.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"

namespace showcaller {
namespace {

json::value operation(std::string_view name, json::array arguments) {
  json::object out;
  out.emplace(name, std::move(arguments));
  return out;
}

json::value var(std::string_view path) {
  return json::object{{"var", path}};
}

Status check(const ExposureRule& rule) {
  if (rule.unit.empty())
    return fail(ErrorCode::Invalid, "an exposure rule needs the unit it assigns");
  if (rule.salt.empty()) return fail(ErrorCode::Invalid, "an exposure rule needs a salt");
  if (rule.canary == rule.baseline)
    return fail(ErrorCode::Invalid, "canary and baseline are one name");
  if (rule.stages.size() > kExposureStagesMax) {
    return fail(ErrorCode::Limit, fmt::format("more than {} stages", kExposureStagesMax));
  }
  for (const auto& stage : rule.stages) {
    if (stage.exposure_ppm > kExposureWhole) {
      return fail(ErrorCode::Invalid, "a stage exposes more than everyone");
    }
  }
  return {};
}

// By their places: highest exposure first; nothing behind a stage that everyone passes can change
// the answer.
std::vector<int> deciding_stages(const ExposureRule& rule) {
  const auto stage = [&](int place) -> const ExposureStage& {
    return rule.stages[std::size_t(place)];
  };
  std::vector<int> places(rule.stages.size());
  std::iota(places.begin(), places.end(), 0);
  std::ranges::stable_sort(places, std::ranges::greater(),
                           [&](int place) { return stage(place).exposure_ppm; });
  const auto open =
      std::ranges::find_if(places, [&](int place) { return stage(place).audience.is_null(); });
  if (open != places.end()) places.erase(open + 1, places.end());
  return places;
}

json::value share(const ExposureRule& rule, std::uint32_t exposure_ppm) {
  return operation("fractional", {operation("cat", {rule.salt, var(rule.unit)}),
                                  json::array{rule.canary, exposure_ppm},
                                  json::array{rule.baseline, kExposureWhole - exposure_ppm}});
}

}  // namespace

std::uint32_t bucket_ppm(std::string_view salt, std::string_view unit) {
  std::array<char, 256> few;
  std::string many;
  char* bytes = few.data();
  const std::size_t size = salt.size() + unit.size();
  if (size > few.size()) {
    many.resize(size);
    bytes = many.data();
  }
  std::ranges::copy(unit, std::ranges::copy(salt, bytes).out);
  return std::uint32_t((std::uint64_t(murmur3_32({bytes, size})) * kExposureWhole) >> 32);
}

Result<json::value> exposure_targeting(const ExposureRule& rule) {
  TRY(check(rule));
  json::array chain;
  for (const int place : deciding_stages(rule)) {
    const ExposureStage& stage = rule.stages[std::size_t(place)];
    if (!stage.audience.is_null()) chain.push_back(stage.audience);
    chain.push_back(share(rule, stage.exposure_ppm));
  }
  // Without a last resort of its own the chain ends at the baseline.
  if (chain.size() % 2 == 0) chain.push_back(json::value(rule.baseline));
  json::value admitted = chain.size() == 1 ? chain[0] : operation("if", std::move(chain));
  return operation("if", {operation("!!", {var(rule.unit)}), std::move(admitted), rule.baseline});
}

Result<json::object> layered_flag(const json::object& base, const ExposureRule& rule,
                                  std::string_view to_variant) {
  const auto* variants = get_if(base, "variants");
  if (variants == nullptr || !variants->is_object() ||
      !variants->get_object().contains(to_variant)) {
    return fail(ErrorCode::Invalid, fmt::format("the flag has no variant '{}'", to_variant));
  }
  TRY(auto exposed, exposure_targeting(rule));
  json::value otherwise = nullptr;
  if (const auto* targeting = get_if(base, "targeting");
      targeting != nullptr && targeting->is_object() && !targeting->get_object().empty()) {
    otherwise = *targeting;
  }
  json::object out = base;
  out.insert_or_assign(
      "targeting", operation("if", {operation("==", {std::move(exposed), rule.canary}), to_variant,
                                    std::move(otherwise)}));
  return out;
}

Result<Exposure> Exposure::compile(ExposureRule rule) {
  TRY(check(rule));
  std::vector<Stage> stages;
  for (const int place : deciding_stages(rule)) {
    const ExposureStage& stage = rule.stages[std::size_t(place)];
    Stage compiled{.audience = std::nullopt, .exposure_ppm = stage.exposure_ppm, .place = place};
    if (!stage.audience.is_null()) {
      TRY(compiled.audience, Logic::compile(stage.audience));
    }
    stages.push_back(std::move(compiled));
  }
  // Empty text stands for a unit that is not there.
  TRY(auto unit, Logic::compile(operation("if", {operation("!!", {var(rule.unit)}),
                                                 operation("cat", {var(rule.unit)}), ""})));
  return Exposure(std::move(rule), std::move(stages), std::move(unit));
}

ExposureAnswer Exposure::decide(const EvaluationContext& context, Instant now) const {
  const auto unit = unit_.apply(context, now);
  if (!unit || !unit->is_string() || unit->get_string().empty()) return {};
  for (const Stage& stage : stages_) {
    if (stage.audience) {
      const auto holds = stage.audience->test(context, now);
      if (!holds) return {.has_unit = true};  // The flag would answer an error: not admitted.
      if (!*holds) continue;
    }
    const std::uint32_t bucket = bucket_ppm(rule_.salt, unit->get_string());
    return {bucket < stage.exposure_ppm, true, stage.place, bucket};
  }
  return {.has_unit = true};
}

}  // namespace showcaller
