// SPDX-License-Identifier: Apache-2.0
#include "flow/otlp_intake.h"

#include <deque>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "flow/point_distribution.h"

namespace showcaller {
namespace {

const Instant kBegan = instant_ms(1'760'000'000'000);
const std::string kOtlpStage = "winter-raid/r1/v1";

std::uint64_t ns_after(Duration d) {
  return std::uint64_t(to_ms(kBegan + d)) * 1'000'000;
}

// An export under construction.
struct Export {
  DataPoints points;
  std::deque<std::string> texts;

  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }
  Range32 attributes(const std::map<std::string, std::string>& all) {
    Range32 range{std::uint32_t(points.attributes.size()), 0};
    for (const auto& [key, value] : all) {
      PointAttribute& a = points.attributes.emplace_back();
      a.key = keep(key);
      a.text = keep(value);
      a.bytes = keep(key + "=" + value);
      a.kind = PointAttribute::Kind::Text;
      ++range.count;
    }
    return range;
  }
  void resource(const std::map<std::string, std::string>& all) {
    points.resources.push_back(attributes(all));
  }
  void metric(const std::string& name, PointKind kind, Temporality temporality, bool monotonic,
              const std::string& unit = "1") {
    if (points.resources.empty())
      resource({{"showcaller.event", "winter-raid"}, {"showcaller.arm", "canary"}});
    const bool numbers = kind == PointKind::Sum || kind == PointKind::Gauge;
    points.metrics.push_back(
        {keep(name),
         keep(unit),
         kind,
         temporality,
         monotonic,
         std::uint32_t(points.resources.size() - 1),
         {std::uint32_t(numbers ? points.numbers.size() : points.distributions.size()), 0}});
  }
  void number(double value, Duration at, Duration start = seconds(1),
              const std::map<std::string, std::string>& all = {}) {
    points.numbers.push_back({ns_after(start), ns_after(at), attributes(all), value, true});
    ++points.metrics.back().points.count;
    ++points.points;
  }
  void explicit_buckets(std::vector<double> bounds, std::vector<std::uint64_t> counts, Duration at,
                        Duration start = seconds(1)) {
    DistributionPoint p;
    p.start_ns = ns_after(start);
    p.time_ns = ns_after(at);
    p.bounds = {std::uint32_t(points.bounds.size()), std::uint32_t(bounds.size())};
    p.buckets = {std::uint32_t(points.buckets.size()), std::uint32_t(counts.size())};
    points.bounds.insert(points.bounds.end(), bounds.begin(), bounds.end());
    points.buckets.insert(points.buckets.end(), counts.begin(), counts.end());
    points.distributions.push_back(p);
    ++points.metrics.back().points.count;
    ++points.points;
  }
  void exponential_buckets(int scale, int offset, std::vector<std::uint64_t> counts, Duration at) {
    explicit_buckets({}, std::move(counts), at);
    points.distributions.back().scale = scale;
    points.distributions.back().offset = offset;
  }
};

class OtlpIn : public testing::Test {
 protected:
  OtlpIn() { intake.watch({kOtlpStage}); }

  void metric(const std::string& name, MetricType type, OtlpMapping mapping = {},
              const std::string& unit = "1") {
    MetricSpec spec;
    spec.type = type;
    spec.source = MetricSource::Otlp;
    spec.unit = unit;
    spec.otlp = std::move(mapping);
    catalog.add(name, spec);
  }
  OtlpReceipt take(const Export& from, Instant now = kBegan + seconds(20)) {
    auto receipt = otlp.take(from.points, catalog, sender, now, &intake);
    EXPECT_TRUE(receipt);
    return *receipt;
  }
  // Of all groups of the canary.
  MetricCounts counted(const std::string& metric) {
    MetricCounts out;
    const StageTick tick = intake.take_tick(kOtlpStage);
    const auto found = tick.metrics.find(metric);
    if (found == tick.metrics.end()) return out;
    for (const auto& [group, counts] : found->second) {
      if (group.arm == Arm::Canary) out.add(counts);
    }
    return out;
  }
  std::int64_t fate(const OtlpReceipt& receipt, PointFate fate) {
    return receipt.points[std::size_t(fate)];
  }

  TelemetryIntake intake;
  OtlpCatalog catalog;
  OtlpSender sender{"game-servers", Trust::Server};
  OtlpIntake otlp{kBegan};
};

TEST_F(OtlpIn, TotalsBecomeWhatCameSince) {
  metric("match.lost", MetricType::Binary, {.total = "matches", .bad_where = {{"how", "lost"}}});
  const auto told = [&](double won, double lost, Duration at, Duration start = seconds(1)) {
    Export out;
    out.metric("matches", PointKind::Sum, Temporality::Cumulative, true);
    out.number(won, at, start, {{"how", "won"}});
    out.number(lost, at, start, {{"how", "lost"}});
    return out;
  };
  take(told(10, 2, seconds(10)));
  MetricCounts first = counted("match.lost");
  EXPECT_EQ(first.n, 12) << "the process began after we did: all of it is new";
  EXPECT_EQ(first.x, 2);
  take(told(15, 3, seconds(20)));
  MetricCounts second = counted("match.lost");
  EXPECT_EQ(second.n, 6);
  EXPECT_EQ(second.x, 1);
  EXPECT_EQ(fate(take(told(15, 3, seconds(20))), PointFate::Repeated), 2) << "sent again";
  take(told(4, 1, seconds(30), seconds(25)));
  MetricCounts anew = counted("match.lost");
  EXPECT_EQ(anew.n, 5) << "another start: it began anew";
  take(told(2, 1, seconds(40), seconds(25)));
  EXPECT_EQ(counted("match.lost").n, 2)
      << "a total that fell began anew too; the other stood still";
}

TEST_F(OtlpIn, OfATotalThatBeganBeforeUsOnlyTheRestCounts) {
  metric("matches", MetricType::Count);
  Export before;
  before.metric("matches", PointKind::Sum, Temporality::Cumulative, true);
  before.number(1'000'000, seconds(10), -hours(5));
  EXPECT_EQ(fate(take(before), PointFate::First), 1);
  EXPECT_EQ(counted("matches").n, 0);
  Export after;
  after.metric("matches", PointKind::Sum, Temporality::Cumulative, true);
  after.number(1'000'007, seconds(20), -hours(5));
  take(after);
  EXPECT_EQ(counted("matches").n, 7);
}

TEST_F(OtlpIn, DeltasAreAddedAndFractionsAreNotLost) {
  metric("played", MetricType::Rate, {.total = "seconds.played", .bad = "deaths"});
  std::int64_t n = 0;
  for (int i = 1; i <= 10; ++i) {
    Export out;
    out.metric("seconds.played", PointKind::Sum, Temporality::Delta, true);
    out.number(0.75, seconds(i));
    out.metric("deaths", PointKind::Sum, Temporality::Delta, true);
    out.number(2, seconds(i));
    take(out);
    const MetricCounts counts = counted("played");
    n += counts.n;
    EXPECT_EQ(counts.x, 2);
  }
  EXPECT_EQ(n, 7);
}

TEST_F(OtlpIn, LevelsAreObservations) {
  metric("up", MetricType::Binary);
  metric("queue", MetricType::Quantile);
  Export out;
  out.metric("up", PointKind::Gauge, Temporality::Unspecified, false);
  out.number(1, seconds(2), seconds(1), {{"host", "a"}});
  out.number(0, seconds(2), seconds(1), {{"host", "b"}});
  out.metric("queue", PointKind::Sum, Temporality::Delta, false);
  out.number(40, seconds(2));
  out.number(-10, seconds(3));
  take(out);
  const StageTick tick = intake.take_tick(kOtlpStage);
  EXPECT_EQ(tick.metrics.at("up")[0].second.n, 2);
  EXPECT_EQ(tick.metrics.at("up")[0].second.x, 1);
  const auto& histogram = *tick.metrics.at("queue")[0].second.histogram;
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.count_above(35), 1u) << "40, then 30";
}

TEST_F(OtlpIn, ExplicitBucketsCountExactlyAtTheirBoundsAndInTheMetricsUnit) {
  metric("join.latency", MetricType::Quantile, {}, "ms");
  metric("join.slow", MetricType::Binary, {.total = "join.latency", .bad_above = 250}, "ms");
  Export out;
  out.metric("join.latency", PointKind::Histogram, Temporality::Cumulative, false, "s");
  out.explicit_buckets({0.1, 0.25, 1}, {5, 3, 2, 1}, seconds(10));
  take(out);
  Export more;
  more.metric("join.latency", PointKind::Histogram, Temporality::Cumulative, false, "s");
  more.explicit_buckets({0.1, 0.25, 1}, {6, 3, 4, 1}, seconds(20));
  take(more);
  const StageTick tick = intake.take_tick(kOtlpStage);
  const auto& histogram = *tick.metrics.at("join.latency")[0].second.histogram;
  EXPECT_EQ(histogram.count(), 14u);
  EXPECT_EQ(histogram.count_above(100), 8u);
  EXPECT_EQ(histogram.count_above(250), 5u);
  EXPECT_EQ(histogram.count_above(1'000), 1u);
  EXPECT_EQ(tick.metrics.at("join.slow")[0].second.n, 14);
  EXPECT_EQ(tick.metrics.at("join.slow")[0].second.x, 5);
}

TEST_F(OtlpIn, ExponentialBucketsMergeThoughTheyGetCoarser) {
  metric("load.time", MetricType::Quantile, {}, "ms");
  Export out;
  out.metric("load.time", PointKind::ExponentialHistogram, Temporality::Cumulative, false, "ms");
  out.exponential_buckets(1, 0, {1, 2, 3, 4}, seconds(10));
  take(out);
  EXPECT_EQ(counted("load.time").histogram->count(), 10u);
  Export coarser;
  coarser.metric("load.time", PointKind::ExponentialHistogram, Temporality::Cumulative, false,
                 "ms");
  coarser.exponential_buckets(0, 0, {4, 9}, seconds(20));
  take(coarser);
  const auto histogram = *counted("load.time").histogram;
  EXPECT_EQ(histogram.count(), 3u) << "1 + 2 of 4 and 3 + 4 of 9 were there";
  EXPECT_EQ(histogram.count_above(2), 2u);
}

TEST_F(OtlpIn, WhatAMetricCannotBeMadeOfIsRefusedWithAReason) {
  metric("a", MetricType::Quantile);
  metric("b", MetricType::Rate);
  Export out;
  out.metric("a", PointKind::Summary, Temporality::Unspecified, false);
  out.points.metrics.back().points.count = 3;
  out.metric("a", PointKind::Sum, Temporality::Cumulative, true);
  out.number(1, seconds(2));
  out.metric("b", PointKind::Gauge, Temporality::Unspecified, false);
  out.number(1, seconds(2));
  out.metric("b", PointKind::Sum, Temporality::Unspecified, true);
  out.number(1, seconds(2));
  out.metric("a", PointKind::Histogram, Temporality::Delta, false);
  out.explicit_buckets({2, 1}, {1, 1, 1}, seconds(2));
  const OtlpReceipt receipt = take(out);
  EXPECT_EQ(receipt.rejected(), 7);
  EXPECT_EQ(receipt.why, "a: a summary has no counts to compare; send a histogram");
}

TEST_F(OtlpIn, NobodysInstrumentsArePassedOver) {
  metric("a", MetricType::Count, {.where = {{"service.name", "arena"}}});
  Export out;
  out.metric("other", PointKind::Sum, Temporality::Delta, true);
  out.number(1, seconds(2));
  out.metric("a", PointKind::Sum, Temporality::Delta, true);
  out.number(1, seconds(2), seconds(1), {{"service.name", "lobby"}});
  const OtlpReceipt receipt = take(out);
  EXPECT_EQ(fate(receipt, PointFate::Unmapped), 2);
  EXPECT_EQ(receipt.rejected(), 0);
  EXPECT_TRUE(receipt.why.empty());
}

TEST_F(OtlpIn, PlacesComeFromAttributesOfAnyName) {
  metric("a", MetricType::Count, {.attributes = {{"stratum", "cloud.region"}, {"arm", "track"}}});
  Export out;
  out.resource({{"showcaller.event", "winter-raid"}, {"cloud.region", "eu"}});
  out.metric("a", PointKind::Sum, Temporality::Delta, true);
  out.number(3, seconds(2), seconds(1), {{"track", "canary"}});
  out.number(4, seconds(2), seconds(1), {{"track", "baseline"}, {"cloud.region", "us"}});
  take(out);
  const auto groups = intake.take_tick(kOtlpStage).metrics.at("a");
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].first.stratum, "eu");
  EXPECT_EQ(groups[0].second.n, 3);
  EXPECT_EQ(groups[1].first.arm, Arm::Baseline);
  EXPECT_EQ(groups[1].first.stratum, "us");
}

TEST_F(OtlpIn, AClientsTokenSpeaksForAClient) {
  sender = {"players", Trust::Client};
  metric("a", MetricType::Count);
  Export out;
  out.metric("a", PointKind::Sum, Temporality::Delta, true);
  out.number(3, seconds(2));
  out.number(500, seconds(3));
  const OtlpReceipt receipt = take(out);
  EXPECT_EQ(receipt.deltas.count(DeltaFate::ClientLimit), 1)
      << "one delta of 503, which is too much";
}

TEST_F(OtlpIn, SeriesAreBoundedAndForgottenWithoutCountingThemTwice) {
  OtlpIntake small(kBegan, {.series_max = 2});
  metric("a", MetricType::Count);
  Export out;
  out.metric("a", PointKind::Sum, Temporality::Cumulative, true);
  for (const char* host : {"a", "b", "c"}) out.number(5, seconds(2), seconds(1), {{"host", host}});
  auto receipt = small.take(out.points, catalog, sender, kBegan + seconds(3), &intake);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(fate(*receipt, PointFate::Full), 1);
  EXPECT_EQ(receipt->why, "a: there are too many series; send fewer attributes");
  EXPECT_EQ(counted("a").n, 10);
  // An hour later the first is back: it was heard up to 5, which must not count again.
  Export back;
  back.metric("a", PointKind::Sum, Temporality::Cumulative, true);
  back.number(6, hours(2), seconds(1), {{"host", "a"}});
  receipt = small.take(back.points, catalog, sender, kBegan + hours(2), &intake);
  EXPECT_EQ(fate(*receipt, PointFate::First), 1);
  EXPECT_EQ(counted("a").n, 0);
  EXPECT_EQ(small.series(), 1u);
}

TEST_F(OtlpIn, WhileTheTickIsFullNothingIsTakenAndItMayComeAgain) {
  TelemetryIntake full(IntakeLimits{.counters_max = 0});
  metric("a", MetricType::Count);
  Export out;
  out.metric("a", PointKind::Sum, Temporality::Delta, true);
  out.number(3, seconds(2));
  EXPECT_EQ(otlp.take(out.points, catalog, sender, kBegan, &full).error().code, ErrorCode::Limit);
  take(out);
  EXPECT_EQ(counted("a").n, 3);
}

// However a total is cut into points, and whatever is sent twice or late: what is counted is what
// the total grew by.
TEST_F(OtlpIn, CountsATotalOnceHoweverItArrives) {
  metric("a", MetricType::Count);
  EXPECT_TRUE(rc::check([&] {
    OtlpIntake fresh(kBegan);
    std::int64_t total = 0, counted_so_far = 0;
    for (int i = 1; i <= 30; ++i) {
      const int what = *rc::gen::inRange(0, 4);
      Export out;
      out.metric("a", PointKind::Sum, Temporality::Cumulative, true);
      if (what > 0) total += *rc::gen::inRange(0, 50);
      const Duration at = what == 0 ? seconds(std::max(1, i - 1)) : seconds(i);
      out.number(double(total), at);
      ASSERT_TRUE(fresh.take(out.points, catalog, sender, kBegan + seconds(i), &intake));
      counted_so_far += counted("a").n;
    }
    Export last;
    last.metric("a", PointKind::Sum, Temporality::Cumulative, true);
    last.number(double(total), seconds(60));
    ASSERT_TRUE(fresh.take(last.points, catalog, sender, kBegan + seconds(60), &intake));
    RC_ASSERT(counted_so_far + counted("a").n == total);
  }));
}

}  // namespace
}  // namespace showcaller
