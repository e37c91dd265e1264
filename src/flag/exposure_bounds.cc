// SPDX-License-Identifier: Apache-2.0
#include "flag/exposure_bounds.h"

#include <algorithm>

#include <fmt/format.h>

#include "flag/exposure.h"

namespace showcaller {
namespace {

constexpr std::string_view kIn = "in", kOut = "out";

std::string group_salt(std::string_view group) {
  return fmt::format("exclusion/{}/", group);
}
std::string holdout_salt(std::string_view holdout) {
  return fmt::format("holdout/{}/", holdout);
}

json::value call(std::string_view name, json::array arguments) {
  return json::object{{name, std::move(arguments)}};
}

json::value path_of(std::string_view path) {
  return json::object{{"var", path}};
}

// Whether the unit's bucket is in one of the ranges.
json::value is_within(const std::string& salt, std::string_view unit, const BucketRanges& ranges) {
  json::array shares{call("cat", {json::value(salt), path_of(unit)})};
  std::int64_t at = 0;
  for (const auto& [from, to] : ranges) {
    if (from > at) shares.push_back(json::array{kOut, from - at});
    shares.push_back(json::array{kIn, to - from});
    at = to;
  }
  if (at < kExposureWhole) shares.push_back(json::array{kOut, kExposureWhole - at});
  return call("==", {call("fractional", std::move(shares)), json::value(kIn)});
}

// The ranges laid together; those that touch are one.
BucketRanges joined(BucketRanges ranges) {
  std::ranges::sort(ranges);
  BucketRanges out;
  for (const auto& range : ranges) {
    if (!out.empty() && out.back().second >= range.first)
      out.back().second = std::max(out.back().second, range.second);
    else
      out.push_back(range);
  }
  return out;
}

// What is below the limit and in none of them.
BucketRanges gaps_between(const BucketRanges& ranges, std::int64_t limit) {
  BucketRanges out;
  std::int64_t at = 0;
  for (const auto& [from, to] : joined(ranges)) {
    if (std::min(from, limit) > at) out.push_back({at, std::min(from, limit)});
    at = std::max(at, to);
  }
  if (at < limit) out.push_back({at, limit});
  return out;
}

BucketRanges shared_by(const BucketRanges& a, const BucketRanges& b) {
  BucketRanges out;
  for (const auto& one : a) {
    for (const auto& other : b) {
      const std::int64_t from = std::max(one.first, other.first);
      const std::int64_t to = std::min(one.second, other.second);
      if (from < to) out.push_back({from, to});
    }
  }
  return out;
}

BucketRanges all_of(const std::vector<BucketRanges>& several) {
  BucketRanges out;
  for (const BucketRanges& each : several) out.insert(out.end(), each.begin(), each.end());
  return out;
}

// As many as `size` of what is there, from the lowest on.
void take_from(const BucketRanges& there, std::int64_t* size, BucketRanges* out) {
  for (const auto& [from, to] : there) {
    const std::int64_t taken = std::min(*size, to - from);
    if (taken > 0) out->push_back({from, from + taken});
    *size -= taken;
  }
}

std::string percent_text(std::int64_t ppm) {
  return fmt::format("{:g} %", double(ppm) / 10'000);
}

}  // namespace

std::uint32_t group_bucket_ppm(std::string_view group, std::string_view unit) {
  return bucket_ppm(group_salt(group), unit);
}
std::uint32_t holdout_bucket_ppm(std::string_view holdout, std::string_view unit) {
  return bucket_ppm(holdout_salt(holdout), unit);
}

json::array bounds_conditions(const ExposureBounds& bounds, std::string_view unit) {
  json::array out;
  if (!bounds.group.empty())
    out.push_back(is_within(group_salt(bounds.group), unit, bounds.buckets));
  for (const auto& [holdout, share] : bounds.holdouts)
    out.push_back(is_within(holdout_salt(holdout), unit, {{share, kExposureWhole}}));
  return out;
}

void bound_flag(const ExposureBounds& bounds, std::string_view unit, std::string_view off_variant,
                json::object* definition) {
  json::array conditions{call("!!", {path_of(unit)})};
  for (json::value& each : bounds_conditions(bounds, unit)) conditions.push_back(std::move(each));
  const json::value* targeting = definition->if_contains("targeting");
  const bool has_rule =
      targeting != nullptr && targeting->is_object() && !targeting->get_object().empty();
  json::value as_written = has_rule ? *targeting : json::value(nullptr);
  const json::value off = off_variant.empty() ? json::value(nullptr) : json::value(off_variant);
  definition->insert_or_assign(
      "targeting", call("if", {call("and", std::move(conditions)), std::move(as_written), off}));
}

std::optional<BoundsRefusal> refused_by(const ExposureBounds& bounds, std::string_view unit) {
  for (const auto& [holdout, share] : bounds.holdouts) {
    const std::int64_t bucket = holdout_bucket_ppm(holdout, unit);
    if (bucket < share) {
      return BoundsRefusal{true, fmt::format("holdout '{}' keeps {} out, and their bucket is at {}",
                                             holdout, percent_text(share), percent_text(bucket))};
    }
  }
  if (bounds.group.empty()) return std::nullopt;
  const std::int64_t bucket = group_bucket_ppm(bounds.group, unit);
  for (const auto& [from, to] : bounds.buckets) {
    if (from <= bucket && bucket < to) return std::nullopt;
  }
  return BoundsRefusal{
      false,
      fmt::format("it has {} of exclusion group '{}', and their bucket at {} is not in it",
                  percent_text(size_of(bounds.buckets)), bounds.group, percent_text(bucket))};
}

std::int64_t size_of(const BucketRanges& ranges) {
  std::int64_t size = 0;
  for (const auto& [from, to] : ranges) size += to - from;
  return size;
}

Result<BucketRanges> take_buckets(std::int64_t size, const BucketRanges& kept,
                                  const std::vector<BucketRanges>& taken, std::int64_t limit) {
  BucketRanges others = all_of(taken);
  const std::int64_t left = free_buckets(taken, limit);
  if (size > left) {
    return fail(ErrorCode::Limit, fmt::format("{} are left", percent_text(left)));
  }
  BucketRanges out;
  // Who was away for a while may find others in what he had.
  const BucketRanges own = shared_by(kept, gaps_between(others, limit));
  take_from(own, &size, &out);
  others.insert(others.end(), own.begin(), own.end());
  take_from(gaps_between(others, limit), &size, &out);
  return joined(std::move(out));
}

std::int64_t free_buckets(const std::vector<BucketRanges>& taken, std::int64_t limit) {
  return size_of(gaps_between(all_of(taken), limit));
}

}  // namespace showcaller
