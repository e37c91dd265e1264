// SPDX-License-Identifier: Apache-2.0
#include "tests/analysis/simulated_world.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace showcaller::test {
namespace {

constexpr int kBuckets = 64;
constexpr double kMedianMs = 40;
constexpr double kP99Ms = 250;
const double kSigma = std::log(kP99Ms / kMedianMs) / 2.3263478740408408;
const std::vector<double> kAt{0.5, 0.9, 0.95, 0.99};
const double kNormalAt[] = {0, 1.2815515655446004, 1.6448536269514722, 2.3263478740408408};

double cut(std::size_t i) {
  return kMedianMs * std::exp(kSigma * kNormalAt[i]);
}

// P(latency > cut) for a lognormal moved by `log_shift`, its upper half stretched away from the
// median.
double above(double cut_ms, double log_shift, double stretch) {
  const double median = kMedianMs * std::exp(log_shift);
  double value = cut_ms;
  // "p99 + 25 %" multiplies values above the median by up to 1.25, growing with their rank, the
  // median unmoved: in logs the distance from the median grows by log(stretch) at the 99th
  // percentile.
  double sigma = kSigma;
  if (value > median) sigma = kSigma + std::log(stretch) / kNormalAt[3];
  return 0.5 * std::erfc(std::log(value / median) / sigma / std::sqrt(2.0));
}

}  // namespace

const char* name_of(World world) {
  switch (world) {
    case World::Clean:
      return "E0clean";
    case World::Flag:
      return "E1flag";
    case World::Fleet:
      return "E2fleet";
    case World::Clumps:
      return "E3clumps";
    case World::Matches:
      return "E4matches";
    case World::FleetMatches:
      return "E4fleet";
  }
  return "";
}

GateConfig gate_config_of(const WorldConfig& config) {
  GateConfig gate;
  gate.profile = config.profile;
  gate.assignment = config.world == World::Fleet || config.world == World::FleetMatches
                        ? Assignment::Instance
                        : Assignment::Player;
  gate.planned_s = config.planned_s;
  gate.tick_s = config.tick_s;
  gate.warmup_s = config.warmup_s;
  gate.share = config.share;
  const bool raw = config.world == World::Clumps;
  GateMetric error{
      .name = "error", .kind = raw ? MetricKind::Count : MetricKind::Binary, .weight = 0.34};
  GateMetric crash{
      .name = "crash", .kind = raw ? MetricKind::Count : MetricKind::Binary, .weight = 0.28};
  GateMetric latency{.name = "latency", .kind = MetricKind::Quantile, .weight = 0.34, .at = kAt};
  for (std::size_t i = 0; i < kAt.size(); ++i) latency.cuts.push_back(cut(i));
  gate.metrics = {error, crash, latency};
  return gate;
}

SimulatedWorld::SimulatedWorld(const WorldConfig& config, std::uint64_t seed)
    : config_(config), random_(seed) {
  if (config_.true_share == 0) config_.true_share = config_.share;
  const int shared = 20;
  const int count = fleet() ? config_.canary_instances + config_.baseline_instances : shared;
  const double sd = config_.instance_sd;
  const double latency_sd = sd * 0.04 / 0.15;
  for (int i = 0; i < count; ++i) {
    instances_.push_back({sd * random_.normal(), sd * random_.normal(),
                          latency_sd * random_.normal(), latency_sd * random_.normal()});
  }
  load_phase_ = random_.uniform() * 6.283185307179586;
  // In player assignment only the sum of the canary counts, so one group stands for its buckets.
  const int canary_groups = fleet() ? config_.canary_instances : 1;
  const int baseline_groups = fleet() ? config_.baseline_instances : kBuckets;
  for (int i = 0; i < canary_groups; ++i)
    tick_.groups.push_back({Arm::Canary, fmt::format("c{:02}", i), "", {}});
  for (int i = 0; i < baseline_groups; ++i)
    tick_.groups.push_back({Arm::Baseline, fmt::format("b{:02}", i), "", {}});
  for (auto& group : tick_.groups) group.counts.assign(2 + 2 + 1 + kAt.size(), 0);
}

void SimulatedWorld::step_common() {
  const double dt = double(config_.tick_s);
  if (config_.world == World::Clean || config_.world == World::Matches) return;
  load_ = 1 + 0.3 * std::sin(load_phase_ + t_ * 6.283185307179586 / 86'400);
  if (shock_left_s_ > 0) {
    shock_left_s_ -= dt;
    if (shock_left_s_ <= 0) shock_error_ = shock_latency_ = 1;
  } else if (random_.chance(2 * dt / 3600)) {
    shock_left_s_ = random_.exponential(180);
    shock_error_ = 1.5 + 4.5 * random_.uniform();
    shock_latency_ = 1.1 + 0.5 * random_.uniform();
  }
  const double keep = std::exp(-dt / 600);
  const double stir = std::sqrt(1 - keep * keep);
  const double sd = config_.instance_sd;
  for (Instance& i : instances_) {
    i.error_drift = keep * i.error_drift + stir * sd * random_.normal();
    i.latency_drift = keep * i.latency_drift + stir * sd * 0.04 / 0.15 * random_.normal();
  }
}

SimulatedWorld::Rates SimulatedWorld::rates_of(const Instance* instance, bool canary) const {
  const bool plain = config_.world == World::Clean || config_.world == World::Matches;
  double error = config_.error_rate, crash = config_.crash_rate, shift = 0, stretch = 1;
  if (!plain) {
    error *= shock_error_;
    crash *= shock_error_;
    shift += std::log(shock_latency_);
    if (canary && t_ < config_.cold_start_s) {
      // Cold caches: worst at once, gone after two minutes.
      const double cold = 1 - t_ / config_.cold_start_s;
      error *= 1 + cold;
      crash *= 1 + cold;
      shift += std::log(1 + 0.5 * cold);
    }
  }
  if (instance) {
    const double effect = std::exp(instance->error_fixed + instance->error_drift);
    error *= effect;
    crash *= effect;
    shift += instance->latency_fixed + instance->latency_drift;
  }
  if (canary && t_ >= config_.fault.from_s) {
    error *= config_.fault.error_ratio;
    crash *= config_.fault.crash_ratio;
    stretch = config_.fault.tail_stretch;
  }
  Rates rates{std::min(error, 1.0), std::min(crash, 1.0), {}};
  for (std::size_t i = 0; i < kAt.size(); ++i) rates.above.push_back(above(cut(i), shift, stretch));
  return rates;
}

// A player meets any of the shared instances: the mean over them.
SimulatedWorld::Rates SimulatedWorld::shared_rates(bool canary) const {
  if (config_.world == World::Clean || config_.world == World::Matches)
    return rates_of(nullptr, canary);
  Rates mean{0, 0, std::vector<double>(kAt.size(), 0)};
  const double part = 1 / double(instances_.size());
  for (const Instance& i : instances_) {
    const Rates r = rates_of(&i, canary);
    mean.error += part * r.error;
    mean.crash += part * r.crash;
    for (std::size_t c = 0; c < kAt.size(); ++c) mean.above[c] += part * r.above[c];
  }
  return mean;
}

std::int64_t SimulatedWorld::clumped(double mean) {
  std::int64_t events = 0;
  // Geometric clumps of mean 2.
  for (std::uint64_t left = random_.poisson(mean / 2); left > 0; --left) {
    do {
      ++events;
    } while (random_.chance(0.5));
  }
  return events;
}

void SimulatedWorld::draw(GroupCounts* group, double sessions, const Rates& rates) {
  auto& counts = group->counts;
  auto n = random_.poisson(sessions);
  if (matches()) n = 8 * random_.poisson(sessions / 8);
  counts[0] = counts[2] = counts[4] = std::int64_t(n);
  if (config_.world == World::Clumps) {
    counts[1] = clumped(double(n) * rates.error);
    counts[3] = clumped(double(n) * rates.crash);
  } else if (matches()) {
    counts[1] = 8 * std::int64_t(random_.binomial(n / 8, rates.error));
    counts[3] = 8 * std::int64_t(random_.binomial(n / 8, rates.crash));
  } else {
    counts[1] = std::int64_t(random_.binomial(n, rates.error));
    counts[3] = std::int64_t(random_.binomial(n, rates.crash));
  }
  double share = 1;
  for (std::size_t i = 0; i < kAt.size(); ++i) {
    n = random_.binomial(n, std::min(1.0, rates.above[i] / share));
    share = rates.above[i];
    counts[5 + i] = std::int64_t(n);
  }
}

const Tick& SimulatedWorld::next() {
  step_common();
  const double arriving = config_.sessions_per_s * load_ * double(config_.tick_s);
  const Rates canary_rates = fleet() ? Rates{} : shared_rates(true);
  const Rates baseline_rates = fleet() ? Rates{} : shared_rates(false);
  std::int64_t units[2] = {0, 0};
  std::size_t instance = 0;
  for (GroupCounts& group : tick_.groups) {
    const bool canary = group.arm == Arm::Canary;
    const double arm_share = canary ? config_.true_share : 1 - config_.true_share;
    const double groups = fleet() ? (canary ? config_.canary_instances : config_.baseline_instances)
                                  : (canary ? 1 : kBuckets);
    const Rates own = fleet() ? rates_of(&instances_[instance++], canary) : Rates{};
    draw(&group, arriving * arm_share / groups,
         fleet()  ? own
         : canary ? canary_rates
                  : baseline_rates);
    // What is randomised is the unit: a match there, a session elsewhere.
    units[canary ? 0 : 1] += group.counts[0] / (matches() ? 8 : 1);
  }
  t_ += double(config_.tick_s);
  tick_.t_s = std::int64_t(t_);
  tick_.units.assign(1, {units[0], units[1], ""});
  return tick_;
}

}  // namespace showcaller::test
