// SPDX-License-Identifier: Apache-2.0
#include "analysis/sample_ratio.h"

#include <cmath>

#include "analysis/special.h"

namespace showcaller {

double log_sample_ratio(std::int64_t canary, std::int64_t all, double share) {
  constexpr double kWeight = 500;  // the prior is worth this many units
  if (all <= 0) return 0;
  const double a = kWeight * share;
  const double b = kWeight * (1 - share);
  const double c = double(canary);
  const double rest = double(all - canary);
  return log_beta(a + c, b + rest) - log_beta(a, b) - c * std::log(share) -
         rest * std::log1p(-share);
}

}  // namespace showcaller
