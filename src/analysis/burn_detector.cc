// SPDX-License-Identifier: Apache-2.0
#include "analysis/burn_detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace showcaller {
namespace {

constexpr double kShareMost = 0.9;  // of the alternatives
constexpr double kCalmShare = 0.25;

}  // namespace

// Another bound asks another question: what was gathered answers the old one.
void BurnDetector::hold_against(double bound) {
  CHECK(bound > 0 && bound < 1);
  if (bound == bound_) return;
  bound_ = bound;
  alternatives_.clear();
  const double odds = bound / (1 - bound);
  for (double times = 2;; times *= 2) {
    const double share = times * odds / (1 + times * odds);
    alternatives_.push_back({std::log(share / bound), std::log((1 - share) / (1 - bound))});
    if (share > kShareMost) break;
  }
  const double calm = kCalmShare * bound;
  calm_ = {std::log(calm / bound), std::log((1 - calm) / (1 - bound))};
}

void BurnDetector::add(Instant at, const BadCounts& counts, const BurnLook& look) {
  hold_against(look.bound);
  if (counts.n <= 0) return;
  const double clump =
      counts.bad > 0 ? std::max(1.0, double(counts.squares) / double(counts.bad)) : 1;
  const double bad = double(counts.bad) / clump, good = double(counts.n - counts.bad) / clump;
  for (Alternative& one : alternatives_) {
    if (one.evidence <= 0) one.n = one.bad = 0, one.since = at;
    one.n += counts.n;
    one.bad += counts.bad;
    one.evidence = std::max(one.evidence, 0.0) + bad * one.per_bad + good * one.per_good;
    one.evidence = std::min(one.evidence, look.enough + std::log(double(alternatives_.size())));
  }
  calm_.evidence = std::max(calm_.evidence, 0.0) + bad * calm_.per_bad + good * calm_.per_good;
  calm_.evidence = std::min(calm_.evidence, 2 * kCalmEnough);
}

BurnProof BurnDetector::proof() const {
  BurnProof out;
  // Of several that are as strong, the one that began last: what it counts is what burns.
  const auto most = std::ranges::max_element(
      alternatives_, {}, [](const Alternative& one) { return std::pair(one.evidence, one.since); });
  if (most == alternatives_.end()) return out;
  out.calm = std::max(calm_.evidence, 0.0);
  if (most->evidence <= 0) return out;
  double sum = 0;
  for (const Alternative& one : alternatives_) sum += std::exp(one.evidence - most->evidence);
  out.evidence = std::max(0.0, most->evidence + std::log(sum / double(alternatives_.size())));
  out.n = most->n;
  out.bad = most->bad;
  out.since = most->since;
  return out;
}

}  // namespace showcaller
