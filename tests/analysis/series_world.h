// SPDX-License-Identifier: Apache-2.0
// Seeded series as games make them: cycles of days and weeks, growth, noise that lasts, holidays,
// launches.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/random.h"

namespace showcaller::test {

struct DemandWorld {
  int weeks = 8;
  double growth_a_week = 0;     // 0.05: 5 %
  double noise = 0.03;          // sd of an hour alone, as a share
  double drift = 0.03;          // sd of what lasts for a day or two
  double holidays_a_day = 0;    // chance of a day with 0.6 to 1.5 times its demand
  double launches_an_hour = 0;  // chance of one to four days with 1.2 to 1.8 times their demand
};

// Hourly, from the Thursday on which 1970 begins.
inline std::vector<double> hourly_demand(const DemandWorld& world, std::uint64_t seed) {
  constexpr double kTurn = 2 * std::numbers::pi;
  Random random(seed);
  const double size = 100 + 1000 * random.uniform(), day = 0.2 + 0.5 * random.uniform();
  const double weekend = 1.05 + 0.25 * random.uniform(), phase = 24 * random.uniform();
  std::vector<double> out;
  double drift = 0, holiday = 1, launch = 1;
  std::uint64_t launch_left = 0;
  for (int t = 0; t < world.weeks * 168; ++t) {
    drift = 0.97 * drift + world.drift * std::sqrt(1 - 0.97 * 0.97) * random.normal();
    if (t % 24 == 0)
      holiday = random.chance(world.holidays_a_day) ? 0.6 + 0.9 * random.uniform() : 1;
    if (launch_left > 0) {
      --launch_left;
    } else if (random.chance(world.launches_an_hour)) {
      launch = 1.2 + 0.6 * random.uniform();
      launch_left = 24 + random.below(72);
    } else {
      launch = 1;
    }
    const double hour = t - phase;
    const double shape =
        1 + day * std::sin(kTurn * hour / 24) + day / 3 * std::sin(kTurn * hour / 12);
    const double of_week = t / 24 % 7 == 2 || t / 24 % 7 == 3 ? weekend : 1;
    const double grown = std::pow(1 + world.growth_a_week, t / 168.0);
    out.push_back(std::max(0.0, size * shape * of_week * grown * holiday * launch *
                                    std::exp(drift) * (1 + world.noise * random.normal())));
  }
  return out;
}

}  // namespace showcaller::test
