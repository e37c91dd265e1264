// SPDX-License-Identifier: Apache-2.0
// flagd's shares: a hash decides which bucket a value falls into, the same in every client.
//
//   bucket = (uint64(murmur3_32(value)) * total) >> 32, and the first bucket whose running weight
//   exceeds it.
//
// Source: flagd, docs/reference/custom-operations (fractional) and its record on high-precision
// bucketing; `rollout` compares the same hash, spread over the window's seconds, with the seconds
// gone by.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include "flag/program.h"
#include "flag/scratch.h"
#include "flag/value.h"

namespace showcaller {

// Which bucket; there are some, and one has weight. How many buckets end before the point is where
// it falls; that is counted without a branch, since nobody can foresee it.
template <class B>
[[gnu::always_inline]] inline const B& pick_bucket(std::span<const B> buckets, std::uint32_t hash) {
  const std::uint64_t point = (std::uint64_t(hash) * buckets.back().end) >> 32;
  std::size_t place = 0;
  for (const B& bucket : buckets) place += point >= bucket.end;
  return buckets[place];
}
// The same by flagd's former way. Null: rounding left the point behind the last bucket.
template <class B>
const B* pick_percent(std::span<const B> buckets, std::uint32_t hash) {
  const double total = double(buckets.back().end);
  const double point = std::abs(double(std::int32_t(hash))) / 2147483647.0 * 100;
  double end = 0;
  std::uint64_t before = 0;
  for (const B& bucket : buckets) {
    end += 100 * double(bucket.end - before) / total;
    if (point < end) return &bucket;
    before = bucket.end;
  }
  return nullptr;
}
// Null: the share gives nobody anything.
[[gnu::always_inline]] inline const Bucket* pick_bucket(const Program& program, const Share& share,
                                                        std::uint32_t hash) {
  const auto buckets = program.buckets_of(share);
  if (buckets.empty() || buckets.back().end == 0) return nullptr;
  if (program.bucketing == Bucketing::Weights) [[likely]]
    return &pick_bucket(buckets, hash);
  return pick_percent(buckets, hash);
}
// Which of [variant, weight] pairs that were computed. A weight is a whole number, 1 when
// absent, and counts as 0 when negative; all together at most 2^31 - 1. Null for anything else.
Value pick_weighted(std::uint32_t hash, std::span<const Value> pairs, Bucketing bucketing,
                    Scratch* scratch);

struct RolloutWindow {
  double begin_s = 0;
  double end_s = 0;
};
enum class RolloutSide { From, To, Neither };
RolloutSide side_of_rollout(std::string_view value, const RolloutWindow& window,
                            std::int64_t now_s);

}  // namespace showcaller
