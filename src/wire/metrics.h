// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms, and the text that Prometheus reads.
//
// Every metric of the program is a row of kMetricTable (metric_table.h), which is also its
// documentation; asking for a name that has no row stops the process. Threads: any; adding is
// lock-free once a child is held. Limits: kChildrenMax label sets a metric; those beyond share one
// whose labels are all "other". Source: OpenMetrics 1.0; Prometheus text format 0.0.4.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace showcaller {

enum class SeriesType { Counter, Gauge, Histogram };

struct MetricRow {
  std::string_view name;  // without "_total"
  SeriesType type;
  std::string_view help;
  std::string_view labels;  // "route method status"; empty: none
  double unit = 1;          // of a counter: what one is
};

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  // For totals that are counted elsewhere; never lower than before.
  void set_total(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0;
};

// One observation of a bucket and the trace that it belongs to.
struct Exemplar {
  std::string trace_id;
  double value = 0;
};

// Of seconds. Each bucket keeps the last observation that came with a trace.
class MetricHistogram {
 public:
  static constexpr std::array<double, 14> kBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  // `trace_id`: of W3C's trace context, 32 hex digits; empty: none.
  void observe(double seconds, std::string_view trace_id = {});
  std::uint64_t count() const;
  double sum() const { return double(sum_us_.load(std::memory_order_relaxed)) / 1e6; }
  std::uint64_t below(std::size_t bound) const {
    return buckets_[bound].load(std::memory_order_relaxed);
  }
  std::optional<Exemplar> exemplar(std::size_t bound) const;

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};  // not cumulative
  std::atomic<std::uint64_t> sum_us_ = 0;
  mutable std::mutex exemplars_mutex_;  // an observation does not wait for it
  std::array<Exemplar, kBounds.size() + 1> exemplars_{};
};

using LabelValues = std::initializer_list<std::string_view>;

class MetricsRegistry {
 public:
  static constexpr std::size_t kChildrenMax = 2'000;

  explicit MetricsRegistry(std::span<const MetricRow> table);
  ~MetricsRegistry();

  // The references stay valid as long as the registry.
  Counter& counter(std::string_view name, const LabelValues& labels = {});
  Gauge& gauge(std::string_view name, const LabelValues& labels = {});
  MetricHistogram& histogram(std::string_view name, const LabelValues& labels = {});

  // Called before each text(); may set gauges. Returns a number to end it by; ending waits for a
  // scrape under way.
  int on_scrape(std::function<void(MetricsRegistry&)> refresh);
  void end_scrape(int number);
  // Drops the children of a gauge that is set anew at each scrape.
  void clear(std::string_view name);

  // OpenMetrics has exemplars and ends in "# EOF"; the older Prometheus text has neither.
  std::string text(bool open_metrics) const;

 private:
  struct Family;
  Family& family(std::string_view name, SeriesType type);

  std::map<std::string, std::unique_ptr<Family>, std::less<>> families_;
  mutable std::mutex refresh_mutex_;
  std::map<int, std::function<void(MetricsRegistry&)>> refresh_;
  int next_refresh_ = 1;
};

std::string_view to_string(SeriesType type);  // "counter", …
// "route method" are two.
std::vector<std::string_view> label_names(const MetricRow& row);

// docs/metrics.md, from the table.
std::string metrics_page(std::span<const MetricRow> table);

}  // namespace showcaller
