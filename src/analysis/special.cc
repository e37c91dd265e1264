// SPDX-License-Identifier: Apache-2.0
#include "analysis/special.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace showcaller {
namespace {

// The continued fraction of the incomplete beta function (DLMF 8.17.22), by the modified Lentz
// method.
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double h = d;
  for (int i = 1; i <= 500; ++i) {
    const double m = i;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    const double step = d * c;
    h *= step;
    if (std::abs(step - 1) < 1e-14) break;
  }
  return h;
}

// Monotone falling `tail`; finds where it crosses p between low and high.
template <class Tail>
double bisect(Tail tail, double p, double low, double high) {
  for (int i = 0; i < 200 && high - low > 1e-13 * std::max(1.0, std::abs(low)); ++i) {
    const double middle = (low + high) / 2;
    (tail(middle) > p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double log_gamma(double x) {
  CHECK(x > 0);
  // Shift up, then Stirling's series.
  double shift = 0;
  while (x < 12) {
    shift -= std::log(x);
    x += 1;
  }
  const double z = 1 / (x * x);
  const double series =
      (1.0 / 12 -
       z * (1.0 / 360 -
            z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * 691.0 / 360360))))) /
      x;
  return shift + (x - 0.5) * std::log(x) - x + 0.5 * std::log(2 * std::numbers::pi) + series;
}

double log_beta(double a, double b) {
  return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

double beta_cdf(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta(a, b));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

double normal_tail(double z) {
  return 0.5 * std::erfc(z / std::numbers::sqrt2);
}

double normal_tail_inverse(double p) {
  CHECK(p > 0 && p < 1);
  if (p > 0.5) return -normal_tail_inverse(1 - p);
  // A tail bound to start from, then Newton on the log of the tail, which is nearly a parabola.
  double z = std::sqrt(std::max(0.0, -2 * std::log(2 * p)));
  for (int i = 0; i < 50; ++i) {
    const double tail = normal_tail(z);
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    const double step = (std::log(tail) - std::log(p)) * tail / density;
    z += step;
    if (std::abs(step) < 1e-13) break;
  }
  return z;
}

double student_tail(double t, double nu) {
  CHECK(nu > 0);
  const double half = 0.5 * beta_cdf(nu / (nu + t * t), nu / 2, 0.5);
  return t >= 0 ? half : 1 - half;
}

double student_tail_inverse(double p, double nu) {
  CHECK(p > 0 && p < 1);
  if (p > 0.5) return -student_tail_inverse(1 - p, nu);
  double high = 1;
  while (student_tail(high, nu) > p && high < 1e12) high *= 2;
  return bisect([&](double t) { return student_tail(t, nu); }, p, 0, high);
}

}  // namespace showcaller
