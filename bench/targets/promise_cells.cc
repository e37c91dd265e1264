// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "analysis/bake_planner.h"
#include "bench/targets/cells.h"

namespace showcaller::bench {
namespace {

using test::Fault;
using test::World;
using test::WorldConfig;

constexpr double kPlannerWithin = 0.25;
constexpr double kWrongPassesMost = 5;

// Four hours, so that every one of the faults is found, at 20/s, so that a tick is few sessions.
void add_planned(std::vector<Cell>* cells, std::string_view what, const Fault& fault,
                 const BakeQuestion& question) {
  BakeQuestion q = question;
  q.power = 0.5;
  WorldConfig config;
  config.sessions_per_s = 20;
  config.planned_s = 4 * 3600;
  config.fault = fault;
  const double predicted = units_to_detect(q);
  const bool several_cuts = fault.tail_stretch != 1;
  cells->push_back({"T12",
                    fmt::format("{}: the planner says {:.0f}", what, predicted),
                    config,
                    {{Asked::MedianSessions, predicted, kPlannerWithin, several_cuts}}});
}

void add_margins(std::vector<Cell>* cells) {
  const auto add = [&](World world, std::string_view what, const Fault& fault, bool scaled) {
    WorldConfig config;
    config.world = world;
    config.fault = fault;
    config.scaled_certificate = scaled;
    cells->push_back({"T13",
                      fmt::format("{} 500/s G1, {}", name_of(world), what),
                      config,
                      {{Asked::Passed, kWrongPassesMost}}});
  };
  for (const World world : {World::Clean, World::Flag, World::Fleet, World::Clumps}) {
    add(world, "errors x1.5", {.error_ratio = 1.5}, true);
    add(world, "crashes x2", {.crash_ratio = 2}, true);
    add(world, "p99 x1.25", {.tail_stretch = 1.25}, true);
  }
}

}  // namespace

std::vector<Cell> promise_cells() {
  std::vector<Cell> cells;
  const BakeQuestion error{.rate = 0.01, .ratio = 2, .weight = 0.34, .score_weight = 0.34 / 0.96};
  add_planned(&cells, "errors x2", {.error_ratio = 2}, error);
  BakeQuestion five = error;
  five.ratio = 5;
  add_planned(&cells, "errors x5", {.error_ratio = 5}, five);
  BakeQuestion crash = five;
  crash.rate = 0.001;
  crash.weight = 0.28;
  add_planned(&cells, "crashes x5", {.crash_ratio = 5}, crash);
  // Of the cuts the 90th percentile tells most: 12.7 % lie above it instead of 10 %.
  BakeQuestion tail{.rate = 0.1, .ratio = 1.266, .weight = 0.11, .phi = 0.9};
  add_planned(&cells, "p99 x1.25", {.tail_stretch = 1.25}, tail);
  for (const World world : {World::Clean, World::Flag, World::Fleet, World::Clumps}) {
    WorldConfig config;
    config.world = world;
    config.sessions_per_s = 20;
    cells.push_back({"T13",
                     fmt::format("{} 20/s G1, too little to know", name_of(world)),
                     config,
                     {{Asked::Passed, kWrongPassesMost}}});
  }
  add_margins(&cells);
  for (const World world : {World::Clean, World::Flag, World::Fleet, World::Clumps}) {
    WorldConfig config;
    config.world = world;
    config.scaled_certificate = true;
    cells.push_back(
        {"-", fmt::format("{} 500/s G1, good", name_of(world)), config, {{Asked::Passed}}});
  }
  return cells;
}

}  // namespace showcaller::bench
