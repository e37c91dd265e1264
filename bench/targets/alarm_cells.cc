// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bench/targets/cells.h"

namespace showcaller::bench {
namespace {

using test::QueueTime;
using test::World;
using test::WorldConfig;

WorldConfig good(World world, double per_s, GateProfile profile = GateProfile::Guaranteed) {
  WorldConfig config;
  config.world = world;
  config.sessions_per_s = per_s;
  config.profile = profile;
  return config;
}

std::string told(const WorldConfig& config, std::string_view more = "") {
  return fmt::format("{} {}/s {}{}", name_of(config.world), config.sessions_per_s,
                     to_string(config.profile), more);
}

constexpr double kRates[] = {20, 500};
constexpr World kUsual[] = {World::Clean, World::Flag, World::Fleet, World::Clumps};

void add_hours(std::vector<Cell>* cells) {
  for (const World world : kUsual) {
    for (const double per_s : kRates) {
      const WorldConfig config = good(world, per_s);
      std::vector<Goal> goals{{Asked::RolledBack, 1}};
      cells->push_back({"T1", told(config), config, goals});
      if (world == World::Clean)
        cells->push_back({"T11", told(config, ", right split"), config, {{Asked::Skewed, 0.1}}});
    }
  }
  for (const World world : {World::Matches, World::FleetMatches}) {
    for (const double per_s : kRates) {
      const WorldConfig config = good(world, per_s);
      cells->push_back({"T1", told(config), config, {{Asked::RolledBack, 1}}});
    }
  }
  for (const World world : kUsual) {
    for (const double per_s : kRates) {
      const WorldConfig config = good(world, per_s, GateProfile::Calibrated);
      cells->push_back({"-", told(config), config, {{Asked::RolledBack}}});
    }
  }
}

}  // namespace

std::vector<Cell> false_alarm_cells() {
  std::vector<Cell> cells;
  add_hours(&cells);
  for (const World world : {World::Flag, World::Fleet, World::Clumps}) {
    WorldConfig config = good(world, 20);
    config.planned_s = 86'400;
    cells.push_back({"T2", told(config, ", 24 h"), config, {{Asked::RolledBack, 1}}});
  }
  WorldConfig uneven = good(World::Fleet, 500);
  uneven.instance_sd = 0.30;
  cells.push_back({"T3", told(uneven, ", twice as uneven"), uneven, {{Asked::RolledBack, 2}}});
  return cells;
}

std::vector<Cell> population_cells() {
  std::vector<Cell> cells;
  for (const double per_s : kRates) {
    WorldConfig config = good(World::SelfSelected, per_s);
    cells.push_back({"T1", told(config, ", by stratum"), config, {{Asked::RolledBack, 1}}});
    config.stratified = false;
    cells.push_back({"-", told(config, ", no strata"), config, {{Asked::RolledBack}}});
  }
  WorldConfig fault = good(World::SelfSelected, 500);
  fault.fault.error_ratio = 2;
  cells.push_back({"-",
                   told(fault, ", by stratum, errors x2"),
                   fault,
                   {{Asked::Found}, {Asked::MedianSeconds}}});
  for (const double per_s : kRates) {
    WorldConfig config = good(World::SplitPool, per_s);
    cells.push_back({"T1", told(config, ", queue untold"), config, {{Asked::RolledBack, 1}}});
    config.queue = QueueTime::PerPool;
    cells.push_back({"T1", told(config, ", pools of one size"), config, {{Asked::RolledBack, 1}}});
    config.queue = QueueTime::Guard;
    cells.push_back({"-", told(config, ", queue a guard"), config, {{Asked::RolledBack}}});
  }
  WorldConfig slow = good(World::SplitPool, 500);
  slow.queue = QueueTime::PerPool;
  slow.fault.wait_ratio = 1.5;
  cells.push_back({"-",
                   told(slow, ", pools of one size, queue x1.5"),
                   slow,
                   {{Asked::Found}, {Asked::MedianSeconds}}});
  return cells;
}

}  // namespace showcaller::bench
