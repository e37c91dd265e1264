// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace showcaller {
namespace {

std::uint64_t splitmix64(std::uint64_t* state) {
  std::uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// log(k!) by Stirling's series; exact enough (1e-10) for k >= 10, a table below.
double log_factorial(double k) {
  static constexpr double kSmall[] = {0.0,
                                      0.0,
                                      0.6931471805599453,
                                      1.791759469228055,
                                      3.1780538303479458,
                                      4.787491742782046,
                                      6.579251212010101,
                                      8.525161361065415,
                                      10.60460290274525,
                                      12.801827480081469};
  if (k < 10) return kSmall[int(k)];
  const double x = k + 1;
  return (x - 0.5) * std::log(x) - x + 0.9189385332046727 + 1 / (12 * x) - 1 / (360 * x * x * x);
}

// Half the normal curve as 128 layers of one area, the lowest with all beyond kZigguratTail.
// Source: Doornik, "An improved ziggurat method to generate normal random samples", 2005.
constexpr std::size_t kZigguratLayers = 128;
constexpr double kZigguratTail = 3.442619855899, kZigguratArea = 9.91256303526217e-3;

struct Ziggurat {
  std::array<double, kZigguratLayers + 1> edge{};   // of each layer, from the widest on
  std::array<double, kZigguratLayers> surely_in{};  // what share of it the next one covers
};

const Ziggurat& ziggurat() {
  static const Ziggurat kZiggurat = [] {
    Ziggurat out;
    double height = std::exp(-0.5 * kZigguratTail * kZigguratTail);
    out.edge[0] = kZigguratArea / height;
    out.edge[1] = kZigguratTail;
    for (std::size_t i = 2; i < kZigguratLayers; ++i) {
      out.edge[i] = std::sqrt(-2 * std::log(kZigguratArea / out.edge[i - 1] + height));
      height = std::exp(-0.5 * out.edge[i] * out.edge[i]);
    }
    for (std::size_t i = 0; i < kZigguratLayers; ++i)
      out.surely_in[i] = out.edge[i + 1] / out.edge[i];
    return out;
  }();
  return kZiggurat;
}

}  // namespace

Random::Random(std::uint64_t seed) : seed_(seed) {
  std::uint64_t s = seed;
  for (auto& word : state_) word = splitmix64(&s);
}

double Random::normal() {
  const double u = 1.0 - uniform();
  const double v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

double Random::quick_normal() {
  static const Ziggurat& layers = ziggurat();
  while (true) {
    const std::uint64_t bits = next();
    const std::size_t i = bits % kZigguratLayers;
    const double u = double(bits >> 11) * 0x1.0p-52 - 1;  // Other bits than the layer's.
    if (std::abs(u) < layers.surely_in[i]) return u * layers.edge[i];
    if (i == 0) {
      double x = 0, y = 0;
      do {
        x = std::log(1.0 - uniform()) / kZigguratTail;
        y = std::log(1.0 - uniform());
      } while (-2 * y < x * x);
      return u < 0 ? x - kZigguratTail : kZigguratTail - x;
    }
    const double x = u * layers.edge[i];
    const double low = std::exp(-0.5 * (layers.edge[i] * layers.edge[i] - x * x));
    const double high = std::exp(-0.5 * (layers.edge[i + 1] * layers.edge[i + 1] - x * x));
    if (high + uniform() * (low - high) < 1) return x;
  }
}

double Random::exponential(double mean) {
  return -mean * std::log(1.0 - uniform());
}

double Random::lognormal(double mu, double sigma) {
  return std::exp(mu + sigma * normal());
}

std::uint64_t Random::poisson(double mean) {
  if (mean <= 0) return 0;
  if (mean > 1e6)
    return std::uint64_t(std::max(0.0, std::round(mean + std::sqrt(mean) * normal())));
  if (mean < 10) {
    const double limit = std::exp(-mean);
    std::uint64_t k = 0;
    for (double product = uniform(); product > limit; product *= uniform()) ++k;
    return k;
  }
  // Hörmann's PTRS, "The transformed rejection method for generating Poisson random variables",
  // 1993.
  const double b = 0.931 + 2.53 * std::sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  while (true) {
    const double u = uniform() - 0.5;
    const double v = uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r) return std::uint64_t(k);
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
        k * std::log(mean) - mean - log_factorial(k)) {
      return std::uint64_t(k);
    }
  }
}

std::uint64_t Random::binomial(std::uint64_t n, double p) {
  if (n == 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(n, 1 - p);
  if (double(n) * p < 10) {
    // Inversion by geometric gaps.
    const double log_q = std::log1p(-p);
    std::uint64_t count = 0;
    double at = 0;
    while (true) {
      at += std::floor(std::log(1.0 - uniform()) / log_q) + 1;
      if (at > double(n)) return count;
      ++count;
    }
  }
  // Hörmann's BTRS, "The generation of binomial random variates", 1993.
  const double nd = double(n);
  const double spq = std::sqrt(nd * p * (1 - p));
  const double b = 1.15 + 2.53 * spq;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = nd * p + 0.5;
  const double v_r = 0.92 - 4.2 / b;
  const double alpha = (2.83 + 5.1 / b) * spq;
  const double log_odds = std::log(p / (1 - p));
  const double mode = std::floor((nd + 1) * p);
  const double h = log_factorial(mode) + log_factorial(nd - mode);
  while (true) {
    const double u = uniform() - 0.5;
    double v = uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (k < 0 || k > nd) continue;
    if (us >= 0.07 && v <= v_r) return std::uint64_t(k);
    v = std::log(v * alpha / (a / (us * us) + b));
    if (v <= h - log_factorial(k) - log_factorial(nd - k) + (k - mode) * log_odds) {
      return std::uint64_t(k);
    }
  }
}

Random Random::fork(std::uint64_t stream) {
  std::uint64_t s = seed_ ^ (stream * 0xd1342543de82ef95ULL + 0x2545f4914f6cdd1dULL);
  return Random(splitmix64(&s));
}

}  // namespace showcaller
