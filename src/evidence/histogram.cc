// SPDX-License-Identifier: Apache-2.0
#include "evidence/histogram.h"

#include <cmath>

#include <fmt/format.h>

#include "base/check.h"

namespace showcaller {
namespace {

constexpr std::size_t kWireBucketsMax = 4096;

// The rank of the q-quantile among n values, 1-based.
std::uint64_t rank_of(double q, std::uint64_t n) {
  const double rank = std::ceil(std::clamp(q, 0.0, 1.0) * double(n));
  return std::clamp<std::uint64_t>(std::uint64_t(rank), 1, n);
}

}  // namespace

ExponentialHistogram::ExponentialHistogram(int scale, std::size_t buckets_max)
    : scale_(scale), buckets_max_(buckets_max) {
  CHECK(scale >= kScaleMin && scale <= kScaleMax && buckets_max >= 2);
}

Result<ExponentialHistogram> ExponentialHistogram::from_parts(int scale, std::uint64_t zero_count,
                                                              std::int32_t offset,
                                                              std::vector<std::uint64_t> counts) {
  if (scale < kScaleMin || scale > kScaleMax) {
    return fail(ErrorCode::Invalid,
                fmt::format("histogram scale {} is outside {} to {}", scale, kScaleMin, kScaleMax));
  }
  if (counts.size() > kWireBucketsMax) {
    return fail(ErrorCode::Limit, fmt::format("a histogram of {} buckets is over the limit of {}",
                                              counts.size(), kWireBucketsMax));
  }
  // Every double lies within these indices at the scale.
  const double reach = scale >= 0 ? 1100.0 * double(1 << scale) : 1100.0;
  if (std::abs(double(offset)) > reach || double(offset) + double(counts.size()) > reach) {
    return fail(ErrorCode::Invalid,
                fmt::format("histogram offset {} lies beyond any double", offset));
  }
  for (const std::uint64_t c : counts) {
    if (c > (std::uint64_t(1) << 53))
      return fail(ErrorCode::Invalid, "a histogram bucket counts more than 2^53");
  }
  ExponentialHistogram out(scale);
  out.zero_count_ = zero_count;
  out.offset_ = offset;
  out.counts_ = std::move(counts);
  out.trim();
  if (!out.counts_.empty())
    out.fit(out.offset_, std::int64_t(out.offset_) + std::int64_t(out.counts_.size()) - 1);
  return out;
}

std::int32_t ExponentialHistogram::index_of(double value, int scale) {
  int exponent = 0;
  const double fraction =
      std::frexp(value, &exponent);  // value = fraction * 2^exponent, fraction in [0.5, 1)
  // Upper bounds belong to the bucket: exact powers of two sit one lower.
  const std::int64_t power = fraction == 0.5 ? exponent - 2 : exponent - 1;
  if (scale <= 0) return std::int32_t(power >> -scale);
  const std::int64_t per_power = std::int64_t(1) << scale;
  if (fraction == 0.5) return std::int32_t(power * per_power + per_power - 1);
  const auto within = std::int64_t(std::ceil(std::log2(fraction * 2) * double(per_power))) - 1;
  return std::int32_t(power * per_power + std::clamp<std::int64_t>(within, 0, per_power - 1));
}

double ExponentialHistogram::lower_bound(std::int64_t index, int scale) {
  return std::exp2(std::ldexp(double(index), -scale));
}

void ExponentialHistogram::record(double value, std::uint64_t times) {
  if (times == 0) return;
  if (!(value > 0)) {
    zero_count_ += times;
    return;
  }
  value = std::min(value, std::numeric_limits<double>::max());
  std::int32_t index = index_of(value, scale_);
  if (!counts_.empty()) {
    const std::int64_t low = std::min(index, offset_);
    const std::int64_t high =
        std::max<std::int64_t>(index, offset_ + std::int64_t(counts_.size()) - 1);
    const int before = scale_;
    fit(low, high);
    if (scale_ != before) index = index_of(value, scale_);
  }
  add(index, times);
}

void ExponentialHistogram::record_all(std::span<const double> values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (values.empty() || !(*least > 0) || !std::isfinite(*most)) {
    for (const double value : values) record(value);
    return;
  }
  // The ends make the room: all the others lie between.
  std::int64_t low = index_of(*least, scale_), high = index_of(*most, scale_);
  if (!counts_.empty()) {
    low = std::min<std::int64_t>(low, offset_);
    high = std::max<std::int64_t>(high, offset_ + std::int64_t(counts_.size()) - 1);
  }
  const int before = scale_;
  fit(low, high);
  add(std::int32_t(low >> (before - scale_)), 0);
  add(std::int32_t(high >> (before - scale_)), 0);
  for (const double value : values) ++counts_[std::size_t(index_of(value, scale_) - offset_)];
}

// Makes room: coarser until [low, high], indices of the present scale, fit the limit.
void ExponentialHistogram::fit(std::int64_t low, std::int64_t high) {
  int scale = scale_;
  while (high - low + 1 > std::int64_t(buckets_max_) && scale > kScaleMin) {
    low >>= 1;
    high >>= 1;
    --scale;
  }
  downscale_to(scale);
}

void ExponentialHistogram::add(std::int32_t index, std::uint64_t times) {
  if (counts_.empty()) {
    offset_ = index;
    counts_.assign(1, 0);
  }
  if (index < offset_) {
    counts_.insert(counts_.begin(), std::size_t(offset_ - index), 0);
    offset_ = index;
  }
  if (std::size_t(index - offset_) >= counts_.size())
    counts_.resize(std::size_t(index - offset_) + 1, 0);
  counts_[std::size_t(index - offset_)] += times;
}

void ExponentialHistogram::downscale_to(int scale) {
  scale = std::max(scale, kScaleMin);
  if (scale >= scale_) return;
  const int shift = scale_ - scale;
  std::vector<std::uint64_t> old;
  old.swap(counts_);
  const std::int32_t old_offset = offset_;
  scale_ = scale;
  offset_ = 0;
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (old[i] > 0) add((old_offset + std::int32_t(i)) >> shift, old[i]);
  }
}

void ExponentialHistogram::merge(const ExponentialHistogram& other) {
  zero_count_ += other.zero_count_;
  if (other.counts_.empty()) {
    downscale_to(other.scale_);
    return;
  }
  ExponentialHistogram more = other;
  more.downscale_to(scale_);
  downscale_to(more.scale_);
  std::int64_t low = more.offset_;
  std::int64_t high = low + std::int64_t(more.counts_.size()) - 1;
  if (!counts_.empty()) {
    low = std::min<std::int64_t>(low, offset_);
    high = std::max(high, offset_ + std::int64_t(counts_.size()) - 1);
  }
  fit(low, high);
  more.downscale_to(scale_);
  for (std::size_t i = 0; i < more.counts_.size(); ++i) {
    if (more.counts_[i] > 0) add(more.offset_ + std::int32_t(i), more.counts_[i]);
  }
}

void ExponentialHistogram::trim() {
  while (!counts_.empty() && counts_.back() == 0) counts_.pop_back();
  const auto first = std::find_if(counts_.begin(), counts_.end(), [](auto c) { return c > 0; });
  offset_ += std::int32_t(first - counts_.begin());
  counts_.erase(counts_.begin(), first);
  if (counts_.empty()) offset_ = 0;
}

std::uint64_t ExponentialHistogram::count() const {
  std::uint64_t sum = zero_count_;
  for (const std::uint64_t c : counts_) sum += c;
  return sum;
}

double ExponentialHistogram::quantile(double q) const {
  const std::uint64_t n = count();
  if (n == 0) return 0;
  const std::uint64_t rank = rank_of(q, n);
  std::uint64_t seen = zero_count_;
  if (seen >= rank) return 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      const double middle = double(offset_ + std::int64_t(i)) + 0.5;
      return std::min(std::exp2(std::ldexp(middle, -scale_)), std::numeric_limits<double>::max());
    }
  }
  return 0;
}

std::uint64_t ExponentialHistogram::count_above(double cut) const {
  if (!(cut > 0)) return count() - zero_count_;
  // The nearest boundary is the lower bound of this bucket.
  const auto boundary = std::int64_t(std::llround(std::ldexp(std::log2(cut), scale_)));
  std::uint64_t above = 0;
  for (auto i = std::size_t(std::max<std::int64_t>(0, boundary - offset_)); i < counts_.size(); ++i)
    above += counts_[i];
  return above;
}

double ExponentialHistogram::snap_cut(double cut, int scale) {
  if (!(cut > 0)) return 0;
  return lower_bound(std::llround(std::ldexp(std::log2(cut), scale)), scale);
}

double ExponentialHistogram::snap_factor(double factor, int scale) {
  if (!(factor > 0)) return 1;
  constexpr double kRounding = 1e-9;
  const double steps = std::ldexp(std::log2(factor), scale);
  return std::exp2(std::ldexp(std::trunc(steps + std::copysign(kRounding, steps)), -scale));
}

bool operator==(const ExponentialHistogram& a, const ExponentialHistogram& b) {
  return a.scale_ == b.scale_ && a.zero_count_ == b.zero_count_ && a.offset_ == b.offset_ &&
         a.counts_ == b.counts_;
}

json::value to_json(const ExponentialHistogram& histogram) {
  json::array counts;
  for (const std::uint64_t c : histogram.counts()) counts.push_back(c);
  return {{"scale", histogram.scale()},
          {"zero", histogram.zero_count()},
          {"offset", histogram.offset()},
          {"counts", std::move(counts)}};
}

Result<ExponentialHistogram> histogram_from_json(const json::value& value) {
  if (!value.is_object()) return fail(ErrorCode::Invalid, "a histogram is an object");
  const json::object& object = value.get_object();
  const std::int64_t scale = get_int(object, "scale", 1000);
  const std::int64_t zero = get_int(object, "zero", 0);
  const std::int64_t offset = get_int(object, "offset", 0);
  if (scale < -1000 || scale > 1000 || zero < 0 || std::abs(offset) > (std::int64_t(1) << 31) - 1) {
    return fail(ErrorCode::Invalid,
                "a histogram has scale, zero and offset as whole numbers in range");
  }
  std::vector<std::uint64_t> counts;
  const json::value* array = object.if_contains("counts");
  if (array && array->is_array()) {
    for (const json::value& item : array->get_array()) {
      const bool whole = item.is_uint64() || (item.is_int64() && item.get_int64() >= 0);
      if (!whole)
        return fail(ErrorCode::Invalid, "histogram counts are whole numbers, zero or more");
      counts.push_back(item.is_uint64() ? item.get_uint64() : std::uint64_t(item.get_int64()));
    }
  }
  return ExponentialHistogram::from_parts(int(scale), std::uint64_t(zero), std::int32_t(offset),
                                          std::move(counts));
}

void LogHistogram::merge(const LogHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
}

std::uint64_t LogHistogram::count() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t c : counts_) sum += c;
  return sum;
}

double LogHistogram::lower_bound(std::size_t index) {
  const std::size_t mantissa = index & ((1u << kMantissaBits) - 1);
  const int exponent = int(index >> kMantissaBits) + kExponentMin;
  return std::ldexp(1.0 + double(mantissa) / double(1u << kMantissaBits), exponent);
}

double LogHistogram::quantile(double q) const {
  const std::uint64_t n = count();
  if (n == 0) return 0;
  const std::uint64_t rank = rank_of(q, n);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return (lower_bound(i) + lower_bound(i + 1)) / 2;
  }
  return 0;
}

std::uint64_t LogHistogram::count_above(double cut) const {
  std::uint64_t above = 0;
  for (std::size_t i = index_of(cut); i < kBuckets; ++i) above += counts_[i];
  return above;
}

namespace {

template <class Histogram>
std::vector<std::int64_t> exceedances_of(const Histogram& histogram, std::span<const double> cuts,
                                         double scale) {
  std::vector<std::int64_t> out{std::int64_t(histogram.count())};
  for (const double cut : cuts) out.push_back(std::int64_t(histogram.count_above(cut * scale)));
  return out;
}

}  // namespace

std::vector<std::int64_t> exceedances(const ExponentialHistogram& histogram,
                                      std::span<const double> cuts, double scale) {
  return exceedances_of(histogram, cuts, scale);
}

std::vector<std::int64_t> exceedances(const LogHistogram& histogram, std::span<const double> cuts,
                                      double scale) {
  return exceedances_of(histogram, cuts, scale);
}

}  // namespace showcaller
