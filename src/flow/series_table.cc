// SPDX-License-Identifier: Apache-2.0
#include "flow/series_table.h"

#include <algorithm>
#include <bit>

namespace showcaller {
namespace {

constexpr std::size_t kFirstCapacity = 1'024;
constexpr Duration kSweepSeriesEvery = minutes(1);

}  // namespace

SeriesTable::SeriesTable(Instant began, SeriesLimits limits)
    : limits_(limits), floor_ns_(std::uint64_t(to_ms(began)) * 1'000'000), slots_(kFirstCapacity) {}

Series* SeriesTable::place_of(std::uint64_t key) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = key & mask;
  while (slots_[at].key != 0 && slots_[at].key != key) at = (at + 1) & mask;
  return &slots_[at];
}

Series* SeriesTable::find(std::uint64_t key, Instant now, bool* fresh) {
  if (key == 0) key = 1;
  Series* slot = place_of(key);
  *fresh = slot->key == 0;
  if (*fresh) {
    if (size_ >= limits_.series_max) return nullptr;
    if (2 * (size_ + 1) > slots_.size()) {
      grow(slots_.size() * 2);
      slot = place_of(key);
    }
    *slot = {.key = key};
    ++size_;
  }
  slot->seen = now;
  return slot;
}

void SeriesTable::grow(std::size_t capacity) {
  std::vector<Series> old(capacity);
  old.swap(slots_);
  for (const Series& series : old) {
    if (series.key != 0) *place_of(series.key) = series;
  }
}

ToldDistribution* SeriesTable::told(const Series& series) {
  return series.distribution == 0 ? nullptr : &*distributions_[series.distribution - 1];
}

bool SeriesTable::tell(Series* series, ToldDistribution distribution) {
  const std::size_t before =
      series->distribution == 0 ? 0 : distributions_[series->distribution - 1]->counts.size();
  const std::size_t after = buckets_ - before + distribution.counts.size();
  if (after > limits_.buckets_max) return false;
  buckets_ = after;
  if (series->distribution == 0) {
    if (free_.empty()) {
      distributions_.emplace_back();
      free_.push_back(std::uint32_t(distributions_.size()));
    }
    series->distribution = free_.back();
    free_.pop_back();
  }
  distributions_[series->distribution - 1] = std::move(distribution);
  return true;
}

void SeriesTable::drop_distribution(const Series& series) {
  if (series.distribution == 0) return;
  auto& kept = distributions_[series.distribution - 1];
  buckets_ -= kept->counts.size();
  kept.reset();
  free_.push_back(series.distribution);
}

void SeriesTable::sweep(Instant now) {
  if (now - swept_ < kSweepSeriesEvery) return;
  swept_ = now;
  const auto is_silent = [&](const Series& series) {
    return series.key != 0 && now - series.seen >= limits_.keep;
  };
  if (std::ranges::none_of(slots_, is_silent)) return;
  for (Series& series : slots_) {
    if (!is_silent(series)) continue;
    floor_ns_ = std::max(floor_ns_, series.time_ns);
    drop_distribution(series);
    series.key = 0;
    --size_;
  }
  // Others may have stood behind those that went.
  grow(std::max(kFirstCapacity, std::bit_ceil(2 * (size_ + 1))));
}

}  // namespace showcaller
