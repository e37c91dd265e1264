// SPDX-License-Identifier: Apache-2.0
// What is known beforehand is hashed beforehand, to the same end.
#include "flag/murmur.h"

#include <string>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/random.h"

namespace showcaller {
namespace {

TEST(MurmurPrefix, HashesAsIfBothWereOne) {
  Random random(7);
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      std::string first, second;
      for (std::size_t i = 0; i < before; ++i) first += char(random.below(256));
      for (std::size_t i = 0; i < after; ++i) second += char(random.below(256));
      EXPECT_EQ(MurmurPrefix(first).hash(second), murmur3_32(first + second))
          << before << " " << after;
    }
  }
}

}  // namespace
}  // namespace showcaller
