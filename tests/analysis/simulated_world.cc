// SPDX-License-Identifier: Apache-2.0
#include "tests/analysis/simulated_world.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace showcaller::test {
namespace {

// Columns of a group's counts: error, crash and latency with an n each, then what the top cut
// scaled counts, then the wait.
constexpr std::size_t kError = 0, kCrash = 2, kLatency = 4;
constexpr double kClump = 2;
std::size_t wait_column(const WorldConfig& config) {
  return kLatency + 1 + kCuts + (config.scaled_certificate ? 1 : 0);
}

bool by_group(const WorldConfig& config) {
  return is_fleet(config.world) || config.queue == QueueTime::PerPool;
}

}  // namespace

GateConfig gate_config_of(const WorldConfig& config) {
  GateConfig gate;
  gate.profile = config.profile;
  gate.assignment = by_group(config) ? Assignment::Instance : Assignment::Player;
  gate.planned_s = config.planned_s;
  gate.tick_s = config.tick_s;
  gate.warmup_s = config.warmup_s;
  gate.share = config.queue == QueueTime::PerPool ? 0.5 : config.share;
  const bool raw = config.world == World::Clumps;
  GateMetric error{
      .name = "error", .kind = raw ? MetricKind::Count : MetricKind::Binary, .weight = 0.34};
  GateMetric crash{
      .name = "crash", .kind = raw ? MetricKind::Count : MetricKind::Binary, .weight = 0.28};
  GateMetric latency{.name = "latency", .kind = MetricKind::Quantile, .weight = 0.34};
  latency.at.assign(kAt.begin(), kAt.end());
  for (std::size_t i = 0; i < kCuts; ++i) latency.cuts.push_back(latency_cut(i));
  if (config.scaled_certificate) latency.scaled_by = kScaledBy;
  gate.metrics = {error, crash, latency};
  if (config.queue == QueueTime::Untold) return gate;
  GateMetric wait{.name = "queue", .kind = MetricKind::Quantile, .weight = 0.34};
  wait.at.assign(kAt.begin(), kAt.end());
  for (std::size_t i = 0; i < kCuts; ++i) wait.cuts.push_back(wait_cut(config, i));
  gate.metrics.push_back(wait);
  return gate;
}

SimulatedWorld::SimulatedWorld(const WorldConfig& config, std::uint64_t seed)
    : config_(config), random_(seed), truth_(config, &random_) {
  if (config_.true_share == 0) config_.true_share = config_.share;
  add_groups();
}

void SimulatedWorld::add_groups() {
  // In player assignment only the sum of the canary counts, so one group stands for its buckets.
  int canary = 1, baseline = int(kBuckets);
  if (is_fleet(config_.world)) {
    canary = config_.canary_instances;
    baseline = config_.baseline_instances;
  } else if (config_.queue == QueueTime::PerPool) {
    canary = baseline = kPools;
  }
  // In the order of evidence: by arm, then id.
  const auto strata = strata_of(config_.world);
  const auto add = [&](Tick* tick, Arm arm, std::size_t stratum, int groups) {
    const char of_arm = arm == Arm::Canary ? 'c' : 'b';
    for (int i = 0; i < groups; ++i) {
      tick->groups.push_back(
          {arm, fmt::format("{}{}{:02}", of_arm, stratum, i), strata[stratum].name, {}});
    }
  };
  for (std::size_t s = 0; s < strata.size(); ++s) add(&tick_, Arm::Canary, s, canary);
  for (std::size_t s = 0; s < strata.size(); ++s) add(&tick_, Arm::Baseline, s, baseline);
  add(&pooled_, Arm::Canary, 0, canary);
  add(&pooled_, Arm::Baseline, 0, baseline);
  const std::size_t width =
      wait_column(config_) + (config_.queue == QueueTime::Untold ? 0 : 1 + kCuts);
  for (auto& group : tick_.groups) group.counts.assign(width, 0);
  for (auto& group : pooled_.groups) group.counts.assign(width, 0);
  whole_.counts.assign(width, 0);
}

// Geometric, of mean kClump.
std::int64_t SimulatedWorld::clump() {
  std::int64_t events = 1;
  while (random_.chance(1 - 1 / kClump)) ++events;
  return events;
}

std::int64_t SimulatedWorld::clumped(double mean) {
  std::int64_t events = 0;
  for (std::uint64_t left = random_.poisson(mean / kClump); left > 0; --left) events += clump();
  return events;
}

void SimulatedWorld::draw(GroupCounts* group, double sessions, const Rates& rates) {
  auto& counts = group->counts;
  const auto size = std::uint64_t(session_size());
  const std::uint64_t units = random_.poisson(sessions / double(size));
  const std::uint64_t n = size * units;
  counts[kError] = counts[kCrash] = counts[kLatency] = std::int64_t(n);
  const bool raw = config_.world == World::Clumps;
  const auto events = [&](double rate) {
    return raw ? clumped(double(n) * rate) : std::int64_t(size * random_.binomial(units, rate));
  };
  counts[kError + 1] = events(rates.error);
  counts[kCrash + 1] = events(rates.crash);
  const auto nested = [&](std::size_t column, const std::array<double, kCuts>& above) {
    std::uint64_t left = n;
    double share = 1;
    for (std::size_t i = 0; i < kCuts; ++i) {
      left = random_.binomial(left, std::min(1.0, above[i] / share));
      share = above[i];
      counts[column + i] = std::int64_t(left);
    }
    return left;
  };
  const std::uint64_t top = nested(kLatency + 1, rates.above);
  if (config_.scaled_certificate) {
    counts[kLatency + 1 + kCuts] = std::int64_t(
        random_.binomial(top, std::min(1.0, rates.above_scaled / rates.above[kCuts - 1])));
  }
  if (config_.queue == QueueTime::Untold) return;
  counts[wait_column(config_)] = std::int64_t(n);
  nested(wait_column(config_) + 1, rates.waits_above);
}

// What the whole arm did, as above, and then which buckets it fell into. Of matches each player has
// a latency of his own, which a bucket for each match does not tell.
void SimulatedWorld::draw_buckets(std::span<GroupCounts> groups, double sessions,
                                  const Rates& rates) {
  if (is_matches(config_.world)) {
    for (GroupCounts& group : groups) draw(&group, sessions / double(kBuckets), rates);
    return;
  }
  draw(&whole_, sessions, rates);
  const auto n = std::uint64_t(whole_.counts[kError]);
  buckets_.throw_in(n, &random_);
  const auto spread = [&](std::size_t column, std::uint64_t first) {
    const BucketCounts counts = buckets_.count(first, std::uint64_t(whole_.counts[column]));
    for (std::size_t b = 0; b < kBuckets; ++b) groups[b].counts[column] = counts[b];
  };
  const auto spread_nested = [&](std::size_t column, std::size_t columns) {
    const std::uint64_t first = buckets_.anywhere(&random_);
    for (std::size_t c = column; c < column + columns; ++c) spread(c, first);
  };
  for (const std::size_t column : {kError, kCrash, kLatency}) spread(column, 0);
  if (config_.world == World::Clumps) {
    throw_clumps(groups, kError + 1, double(n) * rates.error);
    throw_clumps(groups, kCrash + 1, double(n) * rates.crash);
  } else {
    spread(kError + 1, buckets_.anywhere(&random_));
    spread(kCrash + 1, buckets_.anywhere(&random_));
  }
  spread_nested(kLatency + 1, kCuts + (config_.scaled_certificate ? 1 : 0));
  if (config_.queue == QueueTime::Untold) return;
  spread(wait_column(config_), 0);
  spread_nested(wait_column(config_) + 1, kCuts);
}

void SimulatedWorld::throw_clumps(std::span<GroupCounts> groups, std::size_t column, double mean) {
  for (auto& group : groups) group.counts[column] = 0;
  for (std::uint64_t left = random_.poisson(mean / kClump); left > 0; --left)
    groups[random_.below(kBuckets)].counts[column] += clump();
}

void SimulatedWorld::draw_instances(double arriving) {
  std::size_t instance = 0;
  for (GroupCounts& group : tick_.groups) {
    const bool canary = group.arm == Arm::Canary;
    const double share = canary ? config_.true_share : 1 - config_.true_share;
    const int among = canary ? config_.canary_instances : config_.baseline_instances;
    draw(&group, arriving * share / among, truth_.of_instance(instance++, canary));
  }
}

void SimulatedWorld::draw_pools(double arriving) {
  const Rates of_arm[] = {truth_.of_anybody(strata_of(config_.world)[0], true),
                          truth_.of_anybody(strata_of(config_.world)[0], false)};
  std::size_t pool = 0;
  for (GroupCounts& group : tick_.groups) {
    const bool canary = group.arm == Arm::Canary;
    draw(&group, arriving * config_.share / kPools,
         truth_.in_pool(of_arm[canary ? 0 : 1], pool++, canary));
  }
}

void SimulatedWorld::draw_population(double arriving) {
  const auto strata = strata_of(config_.world);
  const bool pools = config_.world == World::SplitPool;
  for (std::size_t s = 0; s < strata.size(); ++s) {
    const double share = truth_.canary_share(strata[s]);
    const double coming = arriving * strata[s].part;
    Rates canary = truth_.of_anybody(strata[s], true);
    Rates baseline = truth_.of_anybody(strata[s], false);
    if (pools) {
      canary = truth_.in_pool(canary, 0, true);
      baseline = truth_.in_pool(baseline, 1, false);
    }
    draw(&tick_.groups[s], coming * share, canary);
    draw_buckets(std::span(tick_.groups).subspan(strata.size() + s * kBuckets, kBuckets),
                 coming * (1 - share), baseline);
  }
}

// What is randomised is the unit: a match there, a session elsewhere. Who selects himself is drawn
// by nobody, and there is no share to hold him to.
void SimulatedWorld::count_units() {
  tick_.units.clear();
  if (config_.world == World::SelfSelected) return;
  tick_.units.emplace_back();
  for (const GroupCounts& group : tick_.groups) {
    auto& units = group.arm == Arm::Canary ? tick_.units[0].canary : tick_.units[0].baseline;
    units += group.counts[0] / std::int64_t(session_size());
  }
}

// Evidence that names no stratum: buckets in which all of them meet.
void SimulatedWorld::pool_strata() {
  const std::size_t strata = strata_of(config_.world).size();
  pooled_.t_s = tick_.t_s;
  for (auto& group : pooled_.groups) std::fill(group.counts.begin(), group.counts.end(), 0);
  for (std::size_t i = 0; i < tick_.groups.size(); ++i) {
    const std::size_t to = i < strata ? 0 : 1 + (i - strata) % kBuckets;
    for (std::size_t c = 0; c < whole_.counts.size(); ++c)
      pooled_.groups[to].counts[c] += tick_.groups[i].counts[c];
  }
}

const Tick& SimulatedWorld::next() {
  truth_.step(&random_);
  const double arriving = config_.sessions_per_s * truth_.load() * double(config_.tick_s);
  if (is_fleet(config_.world)) {
    draw_instances(arriving);
  } else if (config_.queue == QueueTime::PerPool) {
    draw_pools(arriving);
  } else {
    draw_population(arriving);
  }
  count_units();
  tick_.t_s = std::int64_t(truth_.t_s());
  if (config_.stratified) return tick_;
  pool_strata();
  return pooled_;
}

}  // namespace showcaller::test
