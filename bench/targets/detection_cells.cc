// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bench/targets/cells.h"

namespace showcaller::bench {
namespace {

using test::Fault;
using test::World;
using test::WorldConfig;

constexpr auto kC = GateProfile::Calibrated;
constexpr auto kG1 = GateProfile::Guaranteed;
constexpr double kMinute = 60;

// "errors x2 from minute 30"
std::string told(const Fault& fault) {
  std::string out;
  if (fault.error_ratio != 1) out += fmt::format(", errors x{:g}", fault.error_ratio);
  if (fault.crash_ratio != 1) out += fmt::format(", crashes x{:g}", fault.crash_ratio);
  if (fault.tail_stretch != 1) out += fmt::format(", p99 x{:g}", fault.tail_stretch);
  if (fault.from_s > 0) out += fmt::format(" from minute {:g}", fault.from_s / kMinute);
  return out;
}

Cell cell(std::string target, World world, double per_s, GateProfile profile, const Fault& fault,
          std::vector<Goal> goals) {
  WorldConfig config;
  config.world = world;
  config.sessions_per_s = per_s;
  config.profile = profile;
  config.fault = fault;
  return {std::move(target),
          fmt::format("{} {}/s {}{}", name_of(world), per_s, to_string(profile), told(fault)),
          config, std::move(goals)};
}

void add_doubled_errors(std::vector<Cell>* cells) {
  const Fault doubled{.error_ratio = 2};
  const auto sessions = [&](World world, double per_s, GateProfile profile, double most) {
    const bool busy_and_sure = world == World::Flag && profile == kG1;
    cells->push_back(cell("T4", world, per_s, profile, doubled,
                          {{Asked::MedianSessions, most, 0, busy_and_sure}}));
  };
  sessions(World::Clean, 20, kC, 1500);
  sessions(World::Clean, 20, kG1, 2200);
  sessions(World::Flag, 500, kC, 1500);
  sessions(World::Flag, 500, kG1, 2200);
  for (const World world : {World::Clean, World::Flag, World::Fleet, World::Clumps}) {
    for (const GateProfile profile : {kC, kG1}) {
      const bool clumps = world == World::Clumps;
      const bool near_noise = world == World::Fleet && profile == kG1;
      const double minutes = clumps ? 8 : profile == kC ? 4 : 5;
      cells->push_back(
          cell("T5", world, 500, profile, doubled,
               {{Asked::MedianSeconds, minutes * kMinute, 0, near_noise}, {Asked::Found, 99}}));
    }
  }
  const Fault late{.error_ratio = 2, .from_s = 1800};
  for (const World world : {World::Clean, World::Flag}) {
    cells->push_back(cell("T7", world, 500, kG1, late,
                          {{Asked::MedianSeconds, 3 * kMinute}, {Asked::Found, 99}}));
  }
  for (const World world : {World::Fleet, World::Clumps})
    cells->push_back(cell("-", world, 500, kG1, late, {{Asked::MedianSeconds}, {Asked::Found}}));
}

void add_disasters(std::vector<Cell>* cells) {
  const Fault errors{.error_ratio = 5}, tail{.tail_stretch = 2};
  for (const World world : {World::Clean, World::Flag, World::Fleet, World::Clumps}) {
    const double most = world == World::Fleet ? 3 * kMinute : kMinute;
    cells->push_back(cell("T6", world, 500, kG1, errors, {{Asked::MedianSeconds, most}}));
  }
  for (const World world : {World::Clean, World::Flag, World::Fleet})
    cells->push_back(cell("T6", world, 500, kG1, tail, {{Asked::MedianSeconds, 3 * kMinute}}));
  cells->push_back(cell("T10", World::Flag, 500, kG1, errors, {{Asked::MedianHarmed, 30}}));
}

}  // namespace

std::vector<Cell> detection_cells() {
  std::vector<Cell> cells;
  add_doubled_errors(&cells);
  add_disasters(&cells);
  const Fault slow{.tail_stretch = 1.25}, crashes{.crash_ratio = 5};
  for (const World world : {World::Clean, World::Flag}) {
    cells.push_back(cell("T8", world, 20, kC, slow,
                         {{Asked::MedianSeconds, 28 * kMinute}, {Asked::Found, 95}}));
    cells.push_back(cell("T8", world, 500, kC, slow, {{Asked::MedianSeconds, 4 * kMinute}}));
    cells.push_back(cell("T9", world, 20, kC, crashes,
                         {{Asked::MedianSeconds, 31 * kMinute}, {Asked::Found, 90}}));
  }
  Cell split = cell("T11", World::Clean, 500, kG1, {}, {{Asked::MedianSkewedSeconds, 30}});
  split.what += ", 4 % instead of 5 %";
  split.config.true_share = 0.04;
  cells.push_back(std::move(split));
  return cells;
}

}  // namespace showcaller::bench
