// SPDX-License-Identifier: Apache-2.0
// Seeded randomness that gives the same numbers on every machine: xoshiro256** seeded by
// splitmix64, and our own distributions, because those of std differ between libraries. The one
// source of chance in pure code.
//
// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/check.h"

namespace showcaller {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  // In [0, bound); bound > 0. Without bias (Lemire).
  std::uint64_t below(std::uint64_t bound) {
    CHECK(bound > 0);
    unsigned __int128 product = static_cast<unsigned __int128>(next()) * bound;
    if (std::uint64_t(product) < bound) {
      const std::uint64_t threshold = -bound % bound;
      while (std::uint64_t(product) < threshold)
        product = static_cast<unsigned __int128>(next()) * bound;
    }
    return std::uint64_t(product >> 64);
  }
  // In [0, 1), 53 bits.
  double uniform() { return double(next() >> 11) * 0x1.0p-53; }
  bool chance(double probability) { return uniform() < probability; }
  double normal();                  // mean 0, sd 1 (Box-Muller)
  double quick_normal();            // the same by another way (ziggurat), where very many are drawn
  double exponential(double mean);  // mean > 0
  double lognormal(double mu, double sigma);
  std::uint64_t poisson(double mean);                 // mean >= 0; a normal approximation above 1e6
  std::uint64_t binomial(std::uint64_t n, double p);  // exact by inversion or BTRS
  // A generator of its own, so that one consumer's draws never shift another's.
  Random fork(std::uint64_t stream);

 private:
  std::array<std::uint64_t, 4> state_;
  std::uint64_t seed_;
};

}  // namespace showcaller
