// SPDX-License-Identifier: Apache-2.0
#include "analysis/group_noise.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace showcaller {
namespace {

// Rates near one would make chance vanish; a metric is never that quiet.
constexpr double kFloorMin = 0.02;
constexpr double kPhiMargin = 1.1;

struct Pearson {
  double q = 0;         // sum (x - mu)^2 / mu
  double expected = 0;  // sum mu
  double squares = 0;   // sum mu^2
  double freedom = 0;   // groups less strata
  double n = 0, x = 0;
  std::size_t groups = 0;
};

Pearson pearson(std::span<const GroupTotal> groups) {
  std::vector<std::pair<double, double>> strata(1);  // n, x
  for (const GroupTotal& g : groups) {
    if (g.n <= 0) continue;
    if (g.stratum >= strata.size()) strata.resize(g.stratum + 1);
    strata[g.stratum].first += g.n;
    strata[g.stratum].second += g.x;
  }
  Pearson out;
  for (const auto& [n, x] : strata) {
    if (n > 0) out.freedom -= 1;
    out.n += n;
    out.x += x;
  }
  for (const GroupTotal& g : groups) {
    if (g.n <= 0) continue;
    out.freedom += 1;
    ++out.groups;
    const double mu = g.n * strata[g.stratum].second / strata[g.stratum].first;
    if (mu <= 0) continue;
    out.q += (g.x - mu) * (g.x - mu) / mu;
    out.expected += mu;
    out.squares += mu * mu;
  }
  return out;
}

}  // namespace

double effective_groups(std::span<const double> n) {
  double sum = 0, squares = 0;
  for (const double v : n) {
    sum += v;
    squares += v * v;
  }
  return squares > 0 ? sum * sum / squares : 0;
}

GroupNoise measure_noise(std::span<const GroupTotal> groups, MetricKind kind, Assignment assignment,
                         const NoisePrior& prior, double clump) {
  const Pearson seen = pearson(groups);
  GroupNoise out;
  const bool may_exceed = kind == MetricKind::Count || kind == MetricKind::Rate;
  out.floor = may_exceed || seen.n <= 0 ? 1.0 : std::clamp(1 - seen.x / seen.n, kFloorMin, 1.0);
  out.phi = assignment == Assignment::Instance ? out.floor * std::max(1.0, clump) : out.floor;
  out.expected = seen.expected;
  out.groups = seen.groups;
  double n = 0, squares = 0;
  for (const GroupTotal& g : groups) {
    n += g.n;
    squares += g.n * g.n;
  }
  out.effective = squares > 0 ? n * n / squares : 0;
  out.tau2 = prior.tau * prior.tau;
  out.nu = prior.nu;
  if (seen.freedom < 1 || seen.expected <= 0) return out;

  if (assignment == Assignment::Player) {
    // Within one standard error of chance it is chance: taking the larger of the two every time
    // would cost 6 % power.
    const double phi = seen.q / seen.freedom;
    if (phi <= out.floor * (1 + std::sqrt(2 / seen.freedom))) return out;
    out.phi = phi;
    // An estimate that is plainly above chance is itself uncertain, the more so the fewer clumps it
    // has seen.
    if (phi > 1.3 * out.floor) out.phi *= kPhiMargin + std::sqrt(phi / seen.expected);
    return out;
  }
  // DerSimonian-Laird, shrunk towards the prior by what the data are worth.
  const double spread = seen.expected - seen.squares / seen.expected;
  const double tau2_moments = std::max(0.0, (seen.q - seen.freedom * out.phi) / spread);
  const double per_group = seen.expected / double(seen.groups);
  const double prior_tau2 = prior.tau * prior.tau;
  const double a = per_group * prior_tau2 / (out.phi + per_group * prior_tau2);
  out.nu_data = seen.freedom * a * a;
  out.nu = prior.nu + out.nu_data;
  if (out.nu > 0) out.tau2 = (prior.nu * prior_tau2 + out.nu_data * tau2_moments) / out.nu;
  return out;
}

}  // namespace showcaller
