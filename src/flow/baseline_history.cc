// SPDX-License-Identifier: Apache-2.0
#include "flow/baseline_history.h"

namespace showcaller {

void MetricCounts::add(const MetricCounts& more) {
  n += more.n;
  x += more.x;
  if (!more.histogram) return;
  if (histogram)
    histogram->merge(*more.histogram);
  else
    histogram = more.histogram;
}

std::int64_t BaselineHistory::number_at(Instant now) {
  return now.time_since_epoch() / kBucket;
}

BaselineHistory::Bucket& BaselineHistory::bucket_at(Instant now) {
  const std::int64_t number = number_at(now);
  if (buckets_.empty() || buckets_.back().number < number) buckets_.emplace_back().number = number;
  while (buckets_.front().number <= number - kBuckets) buckets_.pop_front();
  return buckets_.back();
}

void BaselineHistory::learn(const BaselineSource& source, const std::string& metric,
                            const BaselineGroup& group, const MetricCounts& counts, Instant now) {
  Bucket& bucket = bucket_at(now);
  auto& metrics = bucket.sources[source];
  auto at = metrics.find(metric);
  if (at == metrics.end()) {
    if (bucket.series >= limits_.series_max) return;
    ++bucket.series;
    at = metrics.try_emplace(metric).first;
  }
  Series& series = at->second;
  series.total.add(counts);
  auto known = series.groups.find(group);
  if (known == series.groups.end()) {
    if (bucket.groups >= limits_.groups_max) return;
    ++bucket.groups;
    known = series.groups.try_emplace(group).first;
  }
  known->second.add(counts);
}

std::map<std::string, MetricCounts> BaselineHistory::totals(std::span<const BaselineSource> sources,
                                                            Instant now) const {
  std::map<std::string, MetricCounts> out;
  for (const Bucket& bucket : buckets_) {
    if (bucket.number <= number_at(now) - kBuckets) continue;
    for (const BaselineSource& source : sources) {
      const auto metrics = bucket.sources.find(source);
      if (metrics == bucket.sources.end()) continue;
      for (const auto& [metric, series] : metrics->second) out[metric].add(series.total);
    }
  }
  return out;
}

BaselineGroups BaselineHistory::groups(std::span<const BaselineSource> sources,
                                       const std::string& metric, Instant now) const {
  BaselineGroups out;
  for (const Bucket& bucket : buckets_) {
    if (bucket.number <= number_at(now) - kBuckets) continue;
    for (const BaselineSource& source : sources) {
      const auto metrics = bucket.sources.find(source);
      if (metrics == bucket.sources.end()) continue;
      const auto series = metrics->second.find(metric);
      if (series == metrics->second.end()) continue;
      for (const auto& [group, counts] : series->second.groups) out[group].add(counts);
    }
  }
  return out;
}

std::size_t BaselineHistory::counters() const {
  std::size_t sum = 0;
  for (const Bucket& bucket : buckets_) sum += bucket.groups;
  return sum;
}

}  // namespace showcaller
