// SPDX-License-Identifier: Apache-2.0
// Seeded randomness that gives the same numbers on every machine: xoshiro256** seeded by
// splitmix64, and our own distributions, because those of std differ between libraries. The one
// source of chance in pure code.
//
// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018.
#pragma once

#include <array>
#include <cstdint>

namespace showcaller {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  // In [0, bound); bound > 0. Without bias (Lemire).
  std::uint64_t below(std::uint64_t bound);
  // In [0, 1), 53 bits.
  double uniform();
  bool chance(double probability) { return uniform() < probability; }
  double normal();                  // mean 0, sd 1 (Box-Muller)
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
