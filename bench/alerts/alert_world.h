// SPDX-License-Identifier: Apache-2.0
// Weeks of a game as its services count them, ten seconds at a time: what goes wrong in any week,
// and in some weeks incidents of which it is known whom they harm. The evening's swing and the
// shocks are those of rehearsals (sim/population.h).
//
//   matches   10 sessions/s at the best hour, on game servers that die now and then with all twenty
//             of their sessions; login 40/s; shop 1/s; guilds 0.02/s: one a minute
//   usual     a third of what the objective of 99.9 % allows, drifting by the hour, shocks of up to
//             four times as much for up to twenty minutes
//   incidents in every other week, one on average: of one service, or of the fleet that matches and
//             shop hang by; 0.2 to 100 % more are bad, for 2 minutes to 8 hours
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/error_budget.h"
#include "base/random.h"
#include "base/time.h"
#include "sim/population.h"

namespace showcaller::bench {

constexpr std::size_t kServices = 4;
constexpr std::array<std::string_view, kServices> kServiceNames{"matches", "login", "shop",
                                                                "guilds"};
constexpr std::array<double, kServices> kPerSecond{10, 40, 1, 0.02};  // sessions, at best
constexpr double kPlayersPerRate = 4 * 600;  // of four each, for ten minutes
constexpr Duration kAlertTick = seconds(10), kAlertWeek = hours(24 * 7);
constexpr double kAllowed = 0.001;
// An incident is harm if so many sessions are bad beyond the usual.
constexpr double kHarmedMin = 100;

struct Incident {
  Duration from{}, to{};
  double more_bad = 0;
  std::array<bool, kServices> hits{};
  double harmed = 0;  // sessions beyond the usual, as they came
  bool is_harm() const { return harmed >= kHarmedMin; }
};

class AlertWorld {
 public:
  AlertWorld(std::uint64_t seed, bool with_incidents);
  // What was counted in the tick that ends then, since the week began.
  std::array<BadCounts, kServices> tick(Duration end);
  const std::vector<Incident>& incidents() const { return incidents_; }

 private:
  BadCounts counts_of(std::size_t service, Duration now, double trouble);

  Random random_;
  sim::Population population_;
  std::vector<Incident> incidents_;
  std::array<double, kServices> drift_{};
  double shock_ = 1;
  Duration shock_ends_{};
};

}  // namespace showcaller::bench
