// SPDX-License-Identifier: Apache-2.0
// Draws which hash buckets the sessions of a tick fall into, for simulations: a bucket a session,
// six random bits each, and then any set of sessions is as likely as another. Equal in law to a
// draw for each bucket and event, and several times quicker. Pure, seeded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"

namespace showcaller {

inline constexpr std::size_t kBuckets = 64;
using BucketCounts = std::array<std::int64_t, kBuckets>;

class BucketDraw {
 public:
  // `units` come, each into a bucket.
  void throw_in(std::uint64_t units, Random* random);
  // Where `hit` of them lie, the `first` and those after it, in a circle. What starts alike is
  // nested; what starts anywhere (random first) is independent of it.
  BucketCounts count(std::uint64_t first, std::uint64_t hit) const;
  std::uint64_t units() const { return bucket_of_.size(); }
  // A unit from which to count; 0 when there is none.
  std::uint64_t anywhere(Random* random) const;

 private:
  std::vector<std::uint8_t> bucket_of_;
};

}  // namespace showcaller
