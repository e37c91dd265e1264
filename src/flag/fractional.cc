// SPDX-License-Identifier: Apache-2.0
#include "flag/fractional.h"

#include <cmath>
#include <limits>
#include <optional>

#include "base/hash.h"

namespace showcaller {
namespace {

constexpr double kWeightMax = std::numeric_limits<std::int32_t>::max();

std::uint64_t spread(std::string_view value, std::uint64_t total) {
  return (std::uint64_t(murmur3_32(value)) * total) >> 32;
}

std::optional<std::uint64_t> weight_of(const Value& pair) {
  if (pair.array_size() < 2) return 1;
  const Value weight = pair.array_at(1);
  if (weight.is_nullish()) return 1;
  if (!weight.is(ValueKind::Number)) return std::nullopt;
  const double number = weight.as_number();
  if (std::trunc(number) != number || number > kWeightMax) return std::nullopt;
  return number < 0 ? 0 : std::uint64_t(number);
}

}  // namespace

Value pick_weighted(std::uint32_t hash, std::span<const Value> pairs, Bucketing bucketing,
                    Scratch* scratch) {
  struct Weighted {
    std::uint64_t end;
    Value variant;
  };
  auto* const weighted = static_cast<Weighted*>(scratch->allocate(pairs.size() * sizeof(Weighted)));
  if (weighted == nullptr) return Value::null();
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!pairs[i].is_array() || pairs[i].array_size() == 0) return Value::null();
    const Value variant = pairs[i].array_at(0);
    if (variant.kind() > ValueKind::String) return Value::null();
    const auto weight = weight_of(pairs[i]);
    if (!weight) return Value::null();
    end += *weight;
    if (double(end) > kWeightMax) return Value::null();
    weighted[i] = {.end = end, .variant = variant};
  }
  if (end == 0) return Value::null();
  const std::span<const Weighted> buckets(weighted, pairs.size());
  if (bucketing == Bucketing::Weights) return pick_bucket(buckets, hash).variant;
  const Weighted* const picked = pick_percent(buckets, hash);
  return picked != nullptr ? picked->variant : Value::null();
}

RolloutSide side_of_rollout(std::string_view value, const RolloutWindow& window,
                            std::int64_t now_s) {
  constexpr double kSecondsMax = 1e12;
  const bool sane = std::abs(window.begin_s) < kSecondsMax && std::abs(window.end_s) < kSecondsMax;
  if (!sane || now_s == 0) return RolloutSide::Neither;
  const auto begin = std::int64_t(window.begin_s);
  const auto end = std::int64_t(window.end_s);
  if (end <= begin || end - begin > std::numeric_limits<std::int32_t>::max())
    return RolloutSide::Neither;
  if (now_s <= begin) return RolloutSide::From;
  if (now_s >= end) return RolloutSide::To;
  const std::uint64_t point = spread(value, std::uint64_t(end - begin));
  return point < std::uint64_t(now_s - begin) ? RolloutSide::To : RolloutSide::From;
}

}  // namespace showcaller
