// SPDX-License-Identifier: Apache-2.0
// Histograms: exact merges, quantiles within their error, agreement on what lies above a cut.
#include "evidence/histogram.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

std::vector<double> latencies(std::uint64_t seed, std::size_t n) {
  Random random(seed);
  std::vector<double> out(n);
  for (double& v : out) v = random.lognormal(std::log(40.0), 0.8);
  return out;
}

double exact_quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, std::size_t(std::ceil(q * double(values.size()))) - 1)];
}

// The layout's own examples: upper bounds belong to their bucket.
TEST(ExponentialHistogram, BucketsAreThoseOfOpenTelemetry) {
  const auto index = [](double value, int scale) {
    ExponentialHistogram h(scale);
    h.record(value);
    return h.offset();
  };
  EXPECT_EQ(index(1.0, 0), -1);
  EXPECT_EQ(index(1.5, 0), 0);
  EXPECT_EQ(index(2.0, 0), 0);
  EXPECT_EQ(index(2.1, 0), 1);
  EXPECT_EQ(index(4.0, 1), 3);
  EXPECT_EQ(index(4.0, -1), 0);
  EXPECT_EQ(index(4.1, -1), 1);
  EXPECT_EQ(index(0.25, 3), -17);
  EXPECT_EQ(index(std::sqrt(2.0) * 0.999999, 1), 0);
  EXPECT_EQ(index(std::sqrt(2.0) * 1.000001, 1), 1);
  EXPECT_EQ(index(1e300, -10), 0);
  EXPECT_EQ(index(1e-300, -10), -1);
}

TEST(ExponentialHistogram, ZeroNegativeAndOddValuesAreKept) {
  ExponentialHistogram h(6);
  for (const double v : {0.0, -3.0, std::nan(""), 5e-324, double(INFINITY)}) h.record(v);
  EXPECT_EQ(h.zero_count(), 3u);
  EXPECT_EQ(h.count(), 5u);
  EXPECT_LE(h.counts().size(), ExponentialHistogram::kBucketsMax);
}

TEST(ExponentialHistogram, MergeEqualsRecordingAllInAnyOrder) {
  const auto values = latencies(1, 3000);
  for (const int other_scale : {6, 3, 0}) {
    ExponentialHistogram a(6), b(other_scale), all(std::min(6, other_scale));
    for (std::size_t i = 0; i < values.size(); ++i) {
      (i % 3 ? a : b).record(values[i]);
      all.record(values[i]);
    }
    ExponentialHistogram ab = a, ba = b;
    ab.merge(b);
    ba.merge(a);
    EXPECT_EQ(ab, ba);
    all.downscale_to(ab.scale());
    EXPECT_EQ(ab, all);
  }
}

TEST(ExponentialHistogram, RecordsManyAsItRecordsEach) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::vector<double> values = latencies(seed, seed % 40);
    if (seed % 7 == 3) values.push_back(0);
    if (seed % 5 == 2) values.insert(values.end(), 3, 17.0);
    ExponentialHistogram each, all;
    for (const double value : values) each.record(value);
    all.record_all(values);
    EXPECT_EQ(all, each) << "seed " << seed;
  }
}

TEST(ExponentialHistogram, DownscalesToStayInItsLimit) {
  ExponentialHistogram h(20);
  for (double v = 1e-3; v < 1e6; v *= 1.01) h.record(v);
  EXPECT_LE(h.counts().size(), ExponentialHistogram::kBucketsMax);
  EXPECT_LT(h.scale(), 5);
  EXPECT_EQ(h.count(), 2083u);
}

TEST(ExponentialHistogram, QuantilesAreWithinTheirBucket) {
  const auto values = latencies(2, 20'000);
  ExponentialHistogram h(6, 4096);
  for (const double v : values) h.record(v);
  ASSERT_EQ(h.scale(), 6);
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    EXPECT_NEAR(h.quantile(q) / exact_quantile(values, q), 1, 0.0055) << q;
  }
}

TEST(ExponentialHistogram, SnappedCutsAgreeAcrossScales) {
  const auto values = latencies(3, 5000);
  for (const double wanted : {10.0, 40.0, 250.0}) {
    const double cut = ExponentialHistogram::snap_cut(wanted, 2);
    std::uint64_t exact = 0;
    for (const double v : values) exact += v > cut;
    for (const int scale : {2, 3, 6, 10}) {
      ExponentialHistogram h(scale, 100'000);
      for (const double v : values) h.record(v);
      EXPECT_EQ(h.count_above(cut), exact) << scale;
    }
  }
}

TEST(ExponentialHistogram, RoundTripsAndRefusesNonsense) {
  ExponentialHistogram h(4);
  for (const double v : latencies(4, 500)) h.record(v);
  EXPECT_EQ(histogram_from_json(to_json(h)).value(), h);
  EXPECT_FALSE(ExponentialHistogram::from_parts(21, 0, 0, {1}));
  EXPECT_FALSE(ExponentialHistogram::from_parts(0, 0, 5000, {1}));
  EXPECT_FALSE(ExponentialHistogram::from_parts(0, 0, 0, std::vector<std::uint64_t>(5000, 1)));
  EXPECT_FALSE(histogram_from_json(parse_json(R"({"scale":3,"counts":[-1]})").value()));
  EXPECT_FALSE(
      histogram_from_json(parse_json(R"({"scale":3,"offset":99999999999,"counts":[1]})").value()));
  EXPECT_TRUE(ExponentialHistogram::from_parts(20, 3, -1000, std::vector<std::uint64_t>(4000, 1)));
}

TEST(LogHistogram, QuantilesAreWithinOnePercent) {
  for (const std::uint64_t seed : {5, 6, 7}) {
    const auto values = latencies(seed, 50'000);
    LogHistogram h;
    for (const double v : values) h.record(v);
    for (const double q : {0.001, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999}) {
      EXPECT_NEAR(h.quantile(q) / exact_quantile(values, q), 1, 0.01) << q;
    }
  }
}

TEST(LogHistogram, MergesExactlyAndCountsAboveItsCuts) {
  const auto values = latencies(8, 10'000);
  LogHistogram all, parts[3];
  for (std::size_t i = 0; i < values.size(); ++i) {
    all.record(values[i]);
    parts[i % 3].record(values[i]);
  }
  LogHistogram forward, backward;
  for (int i = 0; i < 3; ++i) forward.merge(parts[i]);
  for (int i = 2; i >= 0; --i) backward.merge(parts[i]);
  EXPECT_EQ(forward, all);
  EXPECT_EQ(backward, all);
  const double cut = LogHistogram::lower_bound(LogHistogram::index_of(250));
  std::uint64_t exact = 0;
  for (const double v : values) exact += v >= cut;
  EXPECT_EQ(all.count_above(250), exact);
  EXPECT_EQ(sizeof(LogHistogram), 16'384u);
}

TEST(LogHistogram, OddValuesFallIntoTheEndBuckets) {
  EXPECT_EQ(LogHistogram::index_of(0), 0u);
  EXPECT_EQ(LogHistogram::index_of(-5), 0u);
  EXPECT_EQ(LogHistogram::index_of(1e-30), 0u);
  EXPECT_EQ(LogHistogram::index_of(1e30), LogHistogram::kBuckets - 1);
  EXPECT_EQ(LogHistogram::index_of(INFINITY), LogHistogram::kBuckets - 1);
}

TEST(Exceedances, FallWithTheCutAndScaleTheValues) {
  ExponentialHistogram h(8, 4096);
  for (const double v : latencies(9, 10'000)) h.record(v);
  const std::vector<double> cuts{40, 110, 146, 250};
  const auto plain = exceedances(h, cuts);
  ASSERT_EQ(plain.size(), 5u);
  EXPECT_TRUE(std::is_sorted(plain.rbegin(), plain.rend()));
  EXPECT_NEAR(double(plain[1]), 5000, 200);
  const auto scaled = exceedances(h, cuts, 1.1);
  for (std::size_t i = 1; i < plain.size(); ++i) EXPECT_LT(scaled[i], plain[i]);
}

// A margin that is counted out must not depend on whose histogram is the finer.
TEST(Exceedances, AreTheSameInFineAndCoarseHistogramsAtCutsAndFactorsOfTheirSteps) {
  constexpr int kScale = 4;
  ExponentialHistogram fine(8, 4096), coarse(kScale);
  for (const double v : latencies(10, 10'000)) {
    fine.record(v);
    coarse.record(v);
  }
  std::vector<double> cuts;
  for (const double cut : {40, 110, 146, 250})
    cuts.push_back(ExponentialHistogram::snap_cut(cut, kScale));
  for (const double factor : {1.0, 1.1, 1.25, 2.0, 0.9}) {
    const double steps = ExponentialHistogram::snap_factor(factor, kScale);
    EXPECT_EQ(exceedances(fine, cuts, steps), exceedances(coarse, cuts, steps)) << factor;
    EXPECT_LE(std::abs(std::log(steps)), std::abs(std::log(factor)) + 1e-9);
    EXPECT_GT(std::abs(std::log(steps)), std::abs(std::log(factor)) - 0.0434);
  }
  EXPECT_EQ(ExponentialHistogram::snap_factor(1.03, kScale), 1);
  EXPECT_EQ(ExponentialHistogram::snap_factor(2, kScale), 2);
}

}  // namespace
}  // namespace showcaller
