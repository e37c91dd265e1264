// SPDX-License-Identifier: Apache-2.0
// Two histograms of positive values. Both merge exactly, in any order, and give the counts above a
// cut.
//
// ExponentialHistogram: OpenTelemetry's base-2 layout, what travels and is stored. Bucket i at
// scale s holds values in (base^i, base^(i+1)], base = 2^(2^-s). Scales nest: a boundary of a
// coarse scale is one of every finer scale. Source: OpenTelemetry metrics data model,
// "ExponentialHistogram".
//
// LogHistogram: the top bits of the IEEE double (exponent and 6 bits of mantissa) are the bucket.
// About a nanosecond to insert, quantiles within 0.8 %. For hot paths; bucket i holds [lower(i),
// lower(i+1)).
//
// Threads: none.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

class ExponentialHistogram {
 public:
  static constexpr int kScaleMax = 20;
  static constexpr int kScaleMin = -10;
  static constexpr std::size_t kBucketsMax = 160;

  explicit ExponentialHistogram(int scale = 6, std::size_t buckets_max = kBucketsMax);
  // As it arrives on the wire. Refuses scales out of range, negative counts and more than 4,096
  // buckets.
  static Result<ExponentialHistogram> from_parts(int scale, std::uint64_t zero_count,
                                                 std::int32_t offset,
                                                 std::vector<std::uint64_t> counts);

  // Not a number, or at most zero: the zero count. Infinity is the largest double.
  void record(double value, std::uint64_t times = 1);
  // The same for many, at once.
  void record_all(std::span<const double> values);
  // The coarser scale of the two is kept, then coarser still while the buckets are too many.
  void merge(const ExponentialHistogram& other);
  // Does nothing if the scale is already at most `scale`.
  void downscale_to(int scale);

  int scale() const { return scale_; }
  std::uint64_t zero_count() const { return zero_count_; }
  std::int32_t offset() const { return offset_; }
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  std::uint64_t count() const;
  // The middle (on the log scale) of the bucket that holds the q-quantile; 0 when empty.
  double quantile(double q) const;
  // Values above the cut, the cut moved to the nearest boundary. Exact for cuts that snap_cut()
  // gave at this scale or a coarser one: two histograms of different scale then agree on what is
  // above.
  std::uint64_t count_above(double cut) const;
  static double snap_cut(double cut, int scale);
  // The factor, moved towards 1 to where it takes boundaries of the scale to boundaries.
  static double snap_factor(double factor, int scale);

  friend bool operator==(const ExponentialHistogram& a, const ExponentialHistogram& b);

 private:
  static std::int32_t index_of(double value, int scale);
  static double lower_bound(std::int64_t index, int scale);
  void add(std::int32_t index, std::uint64_t times);
  void fit(std::int64_t low, std::int64_t high);
  void trim();

  int scale_;
  std::size_t buckets_max_;
  std::uint64_t zero_count_ = 0;
  std::int32_t offset_ = 0;
  std::vector<std::uint64_t> counts_;
};

// {"scale":6,"zero":3,"offset":12,"counts":[1,0,4]}
json::value to_json(const ExponentialHistogram& histogram);
Result<ExponentialHistogram> histogram_from_json(const json::value& value);

class LogHistogram {
 public:
  static constexpr int kMantissaBits = 6;
  static constexpr int kExponentMin = -10;  // values below 2^-10 share the first bucket
  static constexpr std::size_t kBuckets = 32u << kMantissaBits;

  void record(double value) { ++counts_[index_of(value)]; }
  void record(double value, std::uint64_t times) { counts_[index_of(value)] += times; }
  void merge(const LogHistogram& other);
  std::uint64_t count() const;
  double quantile(double q) const;
  // Values above the cut, the cut moved down to its bucket's lower bound.
  std::uint64_t count_above(double cut) const;
  const std::array<std::uint64_t, kBuckets>& counts() const { return counts_; }

  static std::size_t index_of(double value) {
    constexpr std::int64_t kBase = std::int64_t(1023 + kExponentMin) << kMantissaBits;
    // Negative values have the top bit set, so as signed integers they fall below the base.
    const std::int64_t index = (std::bit_cast<std::int64_t>(value) >> (52 - kMantissaBits)) - kBase;
    return std::size_t(std::clamp<std::int64_t>(index, 0, kBuckets - 1));
  }
  static double lower_bound(std::size_t index);

  friend bool operator==(const LogHistogram&, const LogHistogram&) = default;

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
};

// What a quantile metric's group counts hold: n, then the number above each cut, every value
// divided by `scale` first (a canary that may be 10 % slower is counted with scale 1.10).
std::vector<std::int64_t> exceedances(const ExponentialHistogram& histogram,
                                      std::span<const double> cuts, double scale = 1);
std::vector<std::int64_t> exceedances(const LogHistogram& histogram, std::span<const double> cuts,
                                      double scale = 1);

}  // namespace showcaller
