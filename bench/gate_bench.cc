// SPDX-License-Identifier: Apache-2.0
// What a gate costs: a metric's tick against a bare loop of 161 exp, its state, a look, a recorded
// line.
#include <cmath>
#include <sstream>

#include "analysis/gate.h"
#include "analysis/gate_stream.h"
#include "base/random.h"
#include "bench/figure.h"

namespace showcaller {
namespace {

constexpr int kTicks = 360;

GateConfig config_of(Assignment assignment, int metrics) {
  GateConfig config;
  config.assignment = assignment;
  config.share = 0.05;
  for (int m = 0; m < metrics; ++m)
    config.metrics.push_back({.name = "metric" + std::to_string(m)});
  return config;
}

// An hour of a healthy stage at 500 sessions a second.
std::vector<Tick> an_hour(const GateConfig& config) {
  Random random(1);
  std::vector<Tick> ticks;
  const bool fleet = config.assignment == Assignment::Instance;
  const int groups[2] = {fleet ? 4 : 64, fleet ? 16 : 64};
  const double sessions[2] = {250, 4750};
  for (int t = 1; t <= kTicks; ++t) {
    Tick tick;
    tick.t_s = t * 10;
    for (const int arm : {0, 1}) {
      for (int g = 0; g < groups[arm]; ++g) {
        GroupCounts group{Arm(arm), std::to_string(100 + g), "", {}};
        const auto n = std::int64_t(random.poisson(sessions[arm] / groups[arm]));
        for (std::size_t m = 0; m < config.metrics.size(); ++m) {
          group.counts.push_back(n);
          group.counts.push_back(std::int64_t(random.binomial(std::uint64_t(n), 0.01)));
        }
        tick.groups.push_back(std::move(group));
      }
    }
    ticks.push_back(std::move(tick));
  }
  return ticks;
}

std::uint64_t exps(int loops) {
  volatile double sink = 0;
  for (int i = 0; i < loops; ++i) {
    double sum = 0;
    for (int j = 0; j < 161; ++j) sum += std::exp(-0.05 * j - 1e-6 * i);
    sink = sink + sum;
  }
  return std::uint64_t(loops);
}

bench::Figure tick_figure(const char* name, Assignment assignment) {
  const GateConfig config = config_of(assignment, 6);
  const std::vector<Tick> ticks = an_hour(config);
  const auto feed = [&] {
    GateState gate(config);
    for (const Tick& tick : ticks) gate.feed(tick);
    return std::uint64_t(ticks.size() * config.metrics.size());
  };
  return bench::compare(name, "us/op", feed, [] { return exps(4000); }, "161 exp");
}

bench::Figure look_figure() {
  const GateConfig config = config_of(Assignment::Player, 6);
  GateState gate(config);
  for (const Tick& tick : an_hour(config)) gate.feed(tick);
  const auto look = [&] {
    for (int i = 0; i < 20; ++i) (void)gate.look();
    return std::uint64_t(20 * config.metrics.size());
  };
  return bench::compare("gate look, a metric", "us/op", look, [] { return exps(4000); }, "161 exp");
}

bench::Figure judge_figure() {
  const GateConfig config = config_of(Assignment::Player, 3);
  std::string text = to_json_text(to_json(config)) + "\n";
  std::vector<std::string> lines;
  for (const Tick& tick : an_hour(config)) {
    lines.push_back(to_json_text(tick, shape_of(config)));
    text += lines.back() + "\n";
  }
  const auto judge = [&] {
    std::istringstream in(text);
    std::ostringstream out, err;
    judge_stream(in, out, err);
    return std::uint64_t(kTicks);
  };
  const auto parse = [&] {
    for (const auto& line : lines) (void)parse_json(line);
    return std::uint64_t(kTicks);
  };
  return bench::compare("gate judge, a line of 128 groups", "us/op", judge, parse, "JSON parse");
}

// Bytes of one metric in one window (a restart), 64 baseline buckets.
bench::Figure state_figure() {
  const auto bytes_with = [](int metrics, int ticks) {
    const GateConfig config = config_of(Assignment::Player, metrics);
    GateState gate(config);
    const auto hour = an_hour(config);
    for (int t = 0; t < ticks; ++t) gate.feed(hour[std::size_t(t)]);
    return double(gate.state_bytes());
  };
  // From minute 9 to minute 11 one restart was added.
  const double window = (bytes_with(6, 66) - bytes_with(6, 54)) / 6;
  return {"gate state, a metric and window",
          "bytes",
          window,
          161 * 8,
          "161 doubles",
          window / (161 * 8),
          0};
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  bench::print_figures(argc, argv,
                       {tick_figure("gate tick, a metric, player", Assignment::Player),
                        tick_figure("gate tick, a metric, instance", Assignment::Instance),
                        look_figure(), judge_figure(), state_figure()});
}
