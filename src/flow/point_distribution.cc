// SPDX-License-Identifier: Apache-2.0
#include "flow/point_distribution.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/hash.h"

namespace showcaller {
namespace {

constexpr std::size_t kPointBucketsMax = 4'096;
constexpr double kCountedMax = 9e15;
constexpr std::int32_t kOffsetMax = 1 << 24;
// A cut that is written in another unit than the bound is not the same number to the last bit.
constexpr double kSameBound = 1e-9;

Status check_counts(const ToldDistribution& told) {
  double sum = double(told.below);
  for (const std::uint64_t count : told.counts) sum += double(count);
  if (sum < kCountedMax) return {};
  return fail(ErrorCode::Invalid, "a histogram counts more than 9e15 values");
}

Status check_bounds(std::span<const double> bounds, std::size_t buckets) {
  if (bounds.size() + 1 != buckets)
    return fail(ErrorCode::Invalid, "a histogram has one bucket more than bounds");
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
      return fail(ErrorCode::Invalid, "the bounds of a histogram do not rise");
  }
  return {};
}

std::uint64_t hash_of_bounds(std::span<const double> bounds) {
  const std::string_view bytes(reinterpret_cast<const char*>(bounds.data()), bounds.size_bytes());
  return hash64(bytes) | 1;
}

// What an older telling of an exponential histogram is at a coarser scale.
ToldDistribution coarser(const ToldDistribution& told, std::int32_t scale) {
  const std::int32_t shift = told.scale - scale;
  ToldDistribution out{.scale = scale, .offset = told.offset >> shift, .below = told.below};
  for (std::size_t i = 0; i < told.counts.size(); ++i) {
    const auto at = std::size_t(((told.offset + std::int32_t(i)) >> shift) - out.offset);
    if (at >= out.counts.size()) out.counts.resize(at + 1);
    out.counts[at] += told.counts[i];
  }
  return out;
}

// Absent: some count fell.
std::optional<std::vector<std::uint64_t>> difference(const ToldDistribution& before,
                                                     const ToldDistribution& now) {
  std::vector<std::uint64_t> out = now.counts;
  for (std::size_t i = 0; i < before.counts.size(); ++i) {
    if (before.counts[i] == 0) continue;
    const std::int64_t at = std::int64_t(before.offset) + std::int64_t(i) - now.offset;
    if (at < 0 || at >= std::int64_t(out.size())) return std::nullopt;
    std::uint64_t& count = out[std::size_t(at)];
    if (count < before.counts[i]) return std::nullopt;
    count -= before.counts[i];
  }
  return out;
}

double middle_of(std::span<const double> bounds, std::size_t bucket) {
  if (bounds.empty()) return 0;
  if (bucket == 0) return bounds[0] / 2;
  const double low = bounds[bucket - 1];
  if (bucket == bounds.size()) return low > 0 ? low * 1.5 : low;
  const double high = bounds[bucket];
  return low > 0 ? std::sqrt(low * high) : high / 2;
}

ExponentialHistogram exponential_of(const ToldDistribution& told) {
  auto histogram =
      ExponentialHistogram::from_parts(told.scale, told.below, told.offset, told.counts);
  return histogram ? *std::move(histogram) : ExponentialHistogram();  // told_of() has checked it.
}

std::optional<double> milliseconds_of(std::string_view unit) {
  if (unit == "ns") return 1e-6;
  if (unit == "us" || unit == "µs") return 1e-3;
  if (unit == "ms") return 1;
  if (unit == "s") return 1e3;
  if (unit == "min") return 6e4;
  if (unit == "h") return 3.6e6;
  return std::nullopt;
}

}  // namespace

Result<ToldDistribution> told_of(const DataPoints& points, PointKind kind,
                                 const DistributionPoint& point) {
  if (point.buckets.count > kPointBucketsMax)
    return fail(ErrorCode::Invalid, "a histogram has more than 4,096 buckets");
  ToldDistribution out;
  const auto first = points.buckets.begin() + point.buckets.first;
  out.counts.assign(first, first + point.buckets.count);
  out.sum = point.has_sum && std::isfinite(point.sum) ? point.sum : 0;
  if (kind == PointKind::Histogram) {
    const auto bounds = bounds_of(points, point);
    TRY(check_bounds(bounds, out.counts.size()));
    out.bounds = hash_of_bounds(bounds);
  } else {
    if (point.offset < -kOffsetMax || point.offset > kOffsetMax)
      return fail(ErrorCode::Invalid, "the offset of a histogram's buckets is out of range");
    out.scale = point.scale;
    out.offset = point.offset;
    out.below = point.zero_count + point.negative_count;
    TRY(ExponentialHistogram::from_parts(out.scale, out.below, out.offset, out.counts));
  }
  TRY(check_counts(out));
  return out;
}

void subtract(const ToldDistribution& before, ToldDistribution* now) {
  if (before.bounds != now->bounds) {
    std::ranges::fill(now->counts, 0);
    now->below = 0;
    now->sum = 0;
    return;
  }
  if (before.bounds == 0 && before.scale < now->scale) return;  // It never gets finer but anew.
  if (before.bounds == 0 && before.scale > now->scale) {
    ToldDistribution same_scale = coarser(before, now->scale);
    same_scale.sum = before.sum;
    return subtract(same_scale, now);
  }
  auto counts = difference(before, *now);
  if (!counts || now->below < before.below) return;
  now->counts = *std::move(counts);
  now->below -= before.below;
  now->sum -= before.sum;
}

std::int64_t count_of(const ToldDistribution& told) {
  return std::int64_t(std::accumulate(told.counts.begin(), told.counts.end(), told.below));
}

void merge_into(const DistributionView& view, ExponentialHistogram* histogram) {
  const ToldDistribution& told = view.told;
  if (told.bounds != 0) {
    for (std::size_t i = 0; i < told.counts.size(); ++i) {
      if (told.counts[i] > 0)
        histogram->record(middle_of(view.bounds, i) * view.factor, told.counts[i]);
    }
    return;
  }
  if (view.factor == 1) return histogram->merge(exponential_of(told));
  if (told.below > 0) histogram->record(0, told.below);
  for (std::size_t i = 0; i < told.counts.size(); ++i) {
    if (told.counts[i] == 0) continue;
    const double index = double(told.offset) + double(i) + 0.5;
    histogram->record(std::exp2(index * std::exp2(-told.scale)) * view.factor, told.counts[i]);
  }
}

std::int64_t count_above(const DistributionView& view, double cut) {
  const double here = cut / view.factor;
  if (view.told.bounds == 0) return std::int64_t(exponential_of(view.told).count_above(here));
  std::uint64_t above = 0;
  for (std::size_t i = 1; i < view.told.counts.size(); ++i) {
    if (view.bounds[i - 1] >= here * (1 - kSameBound)) above += view.told.counts[i];
  }
  return std::int64_t(above);
}

double unit_factor(std::string_view from, std::string_view to) {
  const auto a = milliseconds_of(from), b = milliseconds_of(to);
  return a && b ? *a / *b : 1;
}

}  // namespace showcaller
