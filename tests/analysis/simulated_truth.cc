// SPDX-License-Identifier: Apache-2.0
#include "tests/analysis/simulated_truth.h"

#include <algorithm>
#include <cmath>

namespace showcaller::test {
namespace {

constexpr double kMedianMs = 40;
constexpr double kP99Ms = 250;
constexpr double kNormalAt[kCuts] = {0, 1.2815515655446004, 1.6448536269514722, 2.3263478740408408};
const double kSigma = std::log(kP99Ms / kMedianMs) / kNormalAt[3];
constexpr double kDriftS = 600;      // of instances and of pools
constexpr double kWaitMedianS = 20;  // in a pool of all players
constexpr double kWaitSigma = 0.6;
constexpr double kPoolSd = 0.1;
constexpr double kFadesS = 7200;  // after which early patchers are like the rest

constexpr Stratum kWhole[] = {{}};
constexpr Stratum kPatchers[] = {
    {"console/5", 0.12, 0.3, 0.9, 0.0}, {"console/6", 0.18, 0.9, 0.8, 0.0},
    {"mobile/5", 0.16, 0.6, 1.7, 0.3},  {"mobile/6", 0.24, 2.19167, 1.6, 0.3},
    {"pc/5", 0.12, 0.3, 0.7, -0.1},     {"pc/6", 0.18, 0.8, 0.6, -0.1},
};

double normal_above(double z) {
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}

// P(latency > cut) for a lognormal moved by `shift`, its upper half stretched away from the median:
// "p99 + 25 %" multiplies values above the median by up to 1.25, growing with their rank, the
// median unmoved: in logs the distance from the median grows by log(stretch) at the 99th
// percentile.
double above(double log_distance, double shift, double stretch) {
  const double distance = log_distance - shift;
  const double sigma = distance > 0 ? kSigma + std::log(stretch) / kNormalAt[3] : kSigma;
  return normal_above(distance / sigma);
}

// The pools of the queue: how much smaller than all players together each is.
double pool_part(const WorldConfig& config, bool canary) {
  if (config.queue == QueueTime::PerPool) return config.share / kPools;
  return canary ? config.share : 1 - config.share;
}

double wait_median_s(double part) {
  return kWaitMedianS / std::sqrt(part);
}

}  // namespace

const std::array<double, kCuts> kAt{0.5, 0.9, 0.95, 0.99};

double latency_cut(std::size_t i) {
  return kMedianMs * std::exp(kSigma * kNormalAt[i]);
}

double wait_cut(const WorldConfig& config, std::size_t i) {
  return wait_median_s(pool_part(config, false)) * std::exp(kWaitSigma * kNormalAt[i]);
}

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
    case World::SelfSelected:
      return "E5patchers";
    case World::SplitPool:
      return "E6pools";
  }
  return "";
}

std::span<const Stratum> strata_of(World world) {
  if (world == World::SelfSelected) return kPatchers;
  return kWhole;
}
bool is_fleet(World world) {
  return world == World::Fleet || world == World::FleetMatches;
}
bool is_matches(World world) {
  return world == World::Matches || world == World::FleetMatches;
}

SimulatedTruth::SimulatedTruth(const WorldConfig& config, Random* random) : config_(config) {
  constexpr int kShared = 20;
  const bool fleet = is_fleet(config_.world);
  const int count = fleet ? config_.canary_instances + config_.baseline_instances : kShared;
  const double sd = config_.instance_sd;
  const double latency_sd = sd * 0.04 / 0.15;
  for (int i = 0; i < count; ++i) {
    instances_.push_back({sd * random->normal(), sd * random->normal(),
                          latency_sd * random->normal(), latency_sd * random->normal()});
  }
  load_phase_ = random->uniform() * 6.283185307179586;
  if (config_.world == World::SplitPool) {
    const int pools = config_.queue == QueueTime::PerPool ? 2 * kPools : 2;
    for (int i = 0; i < pools; ++i) pool_drift_.push_back(kPoolSd * random->normal());
  }
}

void SimulatedTruth::step(Random* random) {
  const double dt = double(config_.tick_s);
  t_ += dt;
  if (plain()) return;
  load_ = 1 + 0.3 * std::sin(load_phase_ + t_ * 6.283185307179586 / 86'400);
  if (shock_left_s_ > 0) {
    shock_left_s_ -= dt;
    if (shock_left_s_ <= 0) shock_error_ = shock_latency_ = 1;
  } else if (random->chance(2 * dt / 3600)) {
    shock_left_s_ = random->exponential(180);
    shock_error_ = 1.5 + 4.5 * random->uniform();
    shock_latency_ = 1.1 + 0.5 * random->uniform();
  }
  const double keep = std::exp(-dt / kDriftS);
  const double stir = std::sqrt(1 - keep * keep);
  const double sd = config_.instance_sd;
  for (Instance& i : instances_) {
    i.error_drift = keep * i.error_drift + stir * sd * random->normal();
    i.latency_drift = keep * i.latency_drift + stir * sd * 0.04 / 0.15 * random->normal();
  }
  for (double& drift : pool_drift_) drift = keep * drift + stir * kPoolSd * random->normal();
}

double SimulatedTruth::canary_share(const Stratum& stratum) const {
  const double share = config_.true_share > 0 ? config_.true_share : config_.share;
  return share * (1 + (stratum.eager - 1) * std::exp(-t_ / kFadesS));
}

SimulatedTruth::Common SimulatedTruth::common(bool canary) const {
  Common out;
  // What is true in a tick is what is true at its beginning.
  const double start_s = t_ - double(config_.tick_s);
  if (!plain()) {
    out.error = shock_error_;
    out.shift = std::log(shock_latency_);
    if (canary && start_s < config_.cold_start_s) {
      // Cold caches: worst at once, gone after two minutes.
      const double cold = 1 - start_s / config_.cold_start_s;
      out.error *= 1 + cold;
      out.shift += std::log(1 + 0.5 * cold);
    }
  }
  if (canary && start_s >= config_.fault.from_s) out.stretch = config_.fault.tail_stretch;
  return out;
}

Rates SimulatedTruth::rates_of(const Instance& instance, const Stratum& stratum, bool canary,
                               const Common& common) const {
  const bool faulty = canary && t_ - double(config_.tick_s) >= config_.fault.from_s;
  const double effect = stratum.error * common.error *
                        (plain() ? 1 : std::exp(instance.error_fixed + instance.error_drift));
  const double shift = stratum.latency + common.shift +
                       (plain() ? 0 : instance.latency_fixed + instance.latency_drift);
  Rates rates;
  rates.error =
      std::min(1.0, config_.error_rate * effect * (faulty ? config_.fault.error_ratio : 1));
  rates.crash =
      std::min(1.0, config_.crash_rate * effect * (faulty ? config_.fault.crash_ratio : 1));
  for (std::size_t i = 0; i < kCuts; ++i)
    rates.above[i] = above(kSigma * kNormalAt[i], shift, common.stretch);
  if (config_.scaled_certificate) {
    rates.above_scaled =
        above(kSigma * kNormalAt[kCuts - 1] + std::log(kScaledBy), shift, common.stretch);
  }
  return rates;
}

Rates SimulatedTruth::of_instance(std::size_t instance, bool canary) const {
  return rates_of(instances_[instance], kWhole[0], canary, common(canary));
}

Rates SimulatedTruth::of_anybody(const Stratum& stratum, bool canary) const {
  const Common shared = common(canary);
  if (plain()) return rates_of({}, stratum, canary, shared);
  Rates mean;
  const double part = 1 / double(instances_.size());
  for (const Instance& i : instances_) {
    const Rates r = rates_of(i, stratum, canary, shared);
    mean.error += part * r.error;
    mean.crash += part * r.crash;
    mean.above_scaled += part * r.above_scaled;
    for (std::size_t c = 0; c < kCuts; ++c) mean.above[c] += part * r.above[c];
  }
  return mean;
}

Rates SimulatedTruth::in_pool(Rates rates, std::size_t pool, bool canary) const {
  const bool faulty = canary && t_ - double(config_.tick_s) >= config_.fault.from_s;
  // The load of the hour moves all pools alike.
  const double wait = wait_median_s(pool_part(config_, canary)) / std::sqrt(load_) *
                      std::exp(pool_drift_[pool]) * (faulty ? config_.fault.wait_ratio : 1);
  for (std::size_t i = 0; i < kCuts; ++i)
    rates.waits_above[i] = normal_above(std::log(wait_cut(config_, i) / wait) / kWaitSigma);
  return rates;
}

}  // namespace showcaller::test
