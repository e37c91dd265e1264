// SPDX-License-Identifier: Apache-2.0
#include "analysis/bucket_draw.h"

#include "base/check.h"

namespace showcaller {

void BucketDraw::throw_in(std::uint64_t units, Random* random) {
  constexpr int kBits = 6, kInAWord = 10;
  static_assert(kBuckets == 1 << kBits);
  bucket_of_.resize(units);
  std::uint64_t word = 0;
  int left = 0;
  for (std::uint8_t& bucket : bucket_of_) {
    if (left == 0) {
      word = random->next();
      left = kInAWord;
    }
    bucket = std::uint8_t(word % kBuckets);
    word >>= kBits;
    --left;
  }
}

BucketCounts BucketDraw::count(std::uint64_t first, std::uint64_t hit) const {
  CHECK(hit <= units());
  BucketCounts out{};
  const std::uint64_t straight = std::min(hit, units() - first);
  for (std::uint64_t i = first; i < first + straight; ++i) ++out[bucket_of_[i]];
  for (std::uint64_t i = 0; i < hit - straight; ++i) ++out[bucket_of_[i]];
  return out;
}

std::uint64_t BucketDraw::anywhere(Random* random) const {
  return bucket_of_.empty() ? 0 : random->below(units());
}

}  // namespace showcaller
