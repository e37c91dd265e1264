// SPDX-License-Identifier: Apache-2.0
// What the last hour was like, of each source, metric and group: whence a stage's baseline is
// frozen, and how much its groups differ before the stage has shown anything. Pure: time comes in
// as a value.
//
// The hour is twelve buckets of five minutes, the one that fills among them; what falls out is
// forgotten. Servers' words alone are kept. A process that starts knows nothing of the hour before.
//
// Limits: HistoryLimits, each for one bucket. What is over the limit of groups still counts in the
// totals; what is over the limit of series is not known. Threads: none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/time.h"
#include "evidence/histogram.h"

namespace showcaller {

// Who was counted. A build of a fleet: all sessions on it, whoever sent them there. Or an event:
// units of its baseline arm, by the words of servers that know the arm themselves.
struct BaselineSource {
  std::string fleet, build;
  std::string event;  // empty: a build of a fleet
  friend auto operator<=>(const BaselineSource&, const BaselineSource&) = default;
};

// Of one metric: exposures and events, or the histogram of a quantile metric.
struct MetricCounts {
  std::int64_t n = 0, x = 0;
  std::optional<ExponentialHistogram> histogram;
  void add(const MetricCounts& more);
};

struct BaselineGroup {
  std::string id;  // instance; of an event the hash bucket of the unit
  std::string stratum;
  friend auto operator<=>(const BaselineGroup&, const BaselineGroup&) = default;
};
using BaselineGroups = std::map<BaselineGroup, MetricCounts>;

struct HistoryLimits {
  std::size_t series_max = 1'000;   // (source, metric), a bucket
  std::size_t groups_max = 10'000;  // of all series together, a bucket
};

class BaselineHistory {
 public:
  static constexpr Duration kBucket = minutes(5);
  static constexpr std::int64_t kBuckets = 12;

  explicit BaselineHistory(HistoryLimits limits = {}) : limits_(limits) {}

  void learn(const BaselineSource& source, const std::string& metric, const BaselineGroup& group,
             const MetricCounts& counts, Instant now);
  // By metric, of all the sources together.
  std::map<std::string, MetricCounts> totals(std::span<const BaselineSource> sources,
                                             Instant now) const;
  BaselineGroups groups(std::span<const BaselineSource> sources, const std::string& metric,
                        Instant now) const;
  std::size_t counters() const;  // groups in all buckets

 private:
  struct Series {
    MetricCounts total;
    BaselineGroups groups;
  };
  struct Bucket {
    std::int64_t number = 0;  // of five minutes
    std::map<BaselineSource, std::map<std::string, Series>> sources;
    std::size_t series = 0, groups = 0;
  };
  static std::int64_t number_at(Instant now);
  Bucket& bucket_at(Instant now);

  HistoryLimits limits_;
  std::deque<Bucket> buckets_;  // the newest last
};

}  // namespace showcaller
