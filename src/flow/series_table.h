// SPDX-License-Identifier: Apache-2.0
// What was last heard of each series of data points, so that what is told as a total since some
// start becomes what has come since, and a point that is sent again is counted once. Pure: time
// comes in as a value.
//
// A series is known by a hash of who sends it, its resource, instrument and attributes. Of one that
// is not known only what comes from now on can be counted, unless it began after everything that
// was ever forgotten here: then all of it is new. A total that falls, or that has another start,
// began anew.
//
// Limits: SeriesLimits; past them a series that is not known is not taken in. One that is silent
// for `keep` is forgotten. Threads: none.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "evidence/histogram.h"

namespace showcaller {

struct SeriesLimits {
  std::size_t series_max = 200'000;
  std::size_t buckets_max = 4'000'000;  // of all distributions that are told as totals
  Duration keep = hours(1);
};

// A distribution as it was last told: explicit bounds are known by their hash.
struct ToldDistribution {
  std::uint64_t bounds = 0;  // 0: base-2 exponential
  std::int32_t scale = 0, offset = 0;
  std::uint64_t below = 0;  // not above zero
  double sum = 0;
  std::vector<std::uint64_t> counts;
};

struct Series {
  std::uint64_t key = 0;  // 0: nobody's
  std::uint64_t start_ns = 0, time_ns = 0;
  double total = 0;                // so far, of what was counted
  std::uint32_t distribution = 0;  // one more than its place
  Instant seen{};
};

class SeriesTable {
 public:
  // Whatever began before `began` was not heard from its beginning.
  explicit SeriesTable(Instant began, SeriesLimits limits = {});

  // Null: it is not known and there is no room. `fresh` tells whether it was not known. The pointer
  // is good until the next call.
  Series* find(std::uint64_t key, Instant now, bool* fresh);
  // A series that was not known, and that began then: was all of it heard?
  bool is_whole(std::uint64_t start_ns) const { return start_ns > floor_ns_; }
  // Null: none was kept.
  ToldDistribution* told(const Series& series);
  // False: there is no room.
  bool tell(Series* series, ToldDistribution distribution);
  // Forgets who is silent.
  void sweep(Instant now);
  std::size_t size() const { return size_; }

 private:
  void grow(std::size_t capacity);
  Series* place_of(std::uint64_t key);
  void drop_distribution(const Series& series);

  SeriesLimits limits_;
  std::uint64_t floor_ns_;
  std::vector<Series> slots_;  // open addressing, a power of two
  std::size_t size_ = 0, buckets_ = 0;
  std::vector<std::optional<ToldDistribution>> distributions_;
  std::vector<std::uint32_t> free_;
  Instant swept_{};
};

}  // namespace showcaller
