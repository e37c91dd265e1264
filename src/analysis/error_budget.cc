// SPDX-License-Identifier: Apache-2.0
#include "analysis/error_budget.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analysis/special.h"
#include "base/check.h"

namespace showcaller {
namespace {

struct Tier {
  Duration width;
  std::int64_t buckets;
};
constexpr std::array<Tier, 4> kTiers{
    {{seconds(10), 360}, {minutes(5), 72}, {hours(1), 72}, {hours(6), 140}}};

std::size_t tier_of(Duration span) {
  std::size_t tier = 0;
  while (tier + 1 < kTiers.size() && kTiers[tier].width * kTiers[tier].buckets < span) ++tier;
  return tier;
}

std::int64_t number_at(Instant at, Duration width) {
  return at.time_since_epoch() / width;
}

}  // namespace

RollingCounts::RollingCounts() {
  for (const Tier& tier : kTiers) tiers_.emplace_back(std::size_t(tier.buckets));
}

void RollingCounts::add(Instant at, const BadCounts& counts) {
  if (since_ == Instant{} || at < since_) since_ = at;
  for (std::size_t i = 0; i < kTiers.size(); ++i) {
    const std::int64_t number = number_at(at, kTiers[i].width);
    Bucket& bucket = tiers_[i][std::size_t(number % kTiers[i].buckets)];
    if (bucket.number > number) continue;  // Older than the tier reaches.
    if (bucket.number < number) bucket = {number, {}};
    bucket.counts.add(counts);
  }
}

Duration RollingCounts::bucket_of(Duration span) {
  return kTiers[tier_of(span)].width;
}

BadCounts RollingCounts::over(Duration span, Instant now) const {
  CHECK(span > Duration::zero() && span <= kSpanMax);
  const std::size_t i = tier_of(span);
  const Duration width = kTiers[i].width;
  const std::int64_t last = number_at(now, width);
  const std::int64_t first = last - (span + width - Duration(1)) / width;
  BadCounts out;
  for (std::int64_t number = first + 1; number <= last; ++number) {
    const Bucket& bucket = tiers_[i][std::size_t(number % kTiers[i].buckets)];
    if (bucket.number == number) out.add(bucket.counts);
  }
  return out;
}

double burn_of(const BadCounts& counts, double objective) {
  if (counts.n <= 0) return 0;
  return double(counts.bad) / double(counts.n) / (1 - objective);
}

double proven_burn(const BadCounts& counts, double objective, double alpha) {
  if (burn_of(counts, objective) <= 1) return 0;
  const double clump = std::max(1.0, double(counts.squares) / double(counts.bad));
  const double bad = double(counts.bad) / clump;
  const double good = double(counts.n - counts.bad) / clump;
  // P(Bin(n, p) >= bad) is P(Beta(bad, n - bad + 1) <= p), which grows with p.
  double low = 1 - objective, high = double(counts.bad) / double(counts.n);
  if (beta_cdf(low, bad, good + 1) > alpha) return 0;
  for (int i = 0; i < 40 && high - low > 1e-6 * low; ++i) {
    const double middle = (low + high) / 2;
    (beta_cdf(middle, bad, good + 1) > alpha ? high : low) = middle;
  }
  return low / (1 - objective);
}

double burn_at_most(const BadCounts& counts, double objective) {
  constexpr double kDoubt = 0.01;
  if (counts.n <= 0) return std::numeric_limits<double>::infinity();
  if (counts.bad >= counts.n) return 1 / (1 - objective);
  const double clump =
      counts.bad > 0 ? std::max(1.0, double(counts.squares) / double(counts.bad)) : 1;
  const double bad = double(counts.bad) / clump;
  const double good = double(counts.n - counts.bad) / clump;
  // P(Bin(n, p) <= bad) is P(Beta(bad + 1, n - bad) > p).
  double low = double(counts.bad) / double(counts.n), high = 1;
  for (int i = 0; i < 40 && high - low > 1e-3 * high; ++i) {
    const double middle = (low + high) / 2;
    (1 - beta_cdf(middle, bad + 1, good) > kDoubt ? low : high) = middle;
  }
  return high / (1 - objective);
}

std::int64_t budget_left_ppm(const BadCounts& counts, double objective) {
  if (counts.n <= 0) return 1'000'000;
  return std::llround((1 - burn_of(counts, objective)) * 1e6);
}

}  // namespace showcaller
