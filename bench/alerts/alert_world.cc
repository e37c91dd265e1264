// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts/alert_world.h"

#include <algorithm>
#include <cmath>

namespace showcaller::bench {
namespace {

constexpr std::size_t kMatches = 0, kShop = 2;
constexpr std::int64_t kServerSessions = 20;
constexpr double kServerDeathsPerDay = 1;
constexpr double kDriftSd = 0.3;

double log_uniform(Random* random, double low, double high) {
  return low * std::pow(high / low, random->uniform());
}

Incident draw_incident(Random* random) {
  Incident out;
  out.from = Duration(std::int64_t(random->uniform() * double(kAlertWeek.count())));
  out.to = out.from + Duration(std::int64_t(log_uniform(random, 120, 8 * 3600) * 1000));
  out.more_bad = log_uniform(random, 0.002, 1);
  const std::uint64_t where = random->below(kServices + 1);
  if (where == kServices)
    out.hits[kMatches] = out.hits[kShop] = true;
  else
    out.hits[where] = true;
  return out;
}

}  // namespace

AlertWorld::AlertWorld(std::uint64_t seed, bool with_incidents) : random_(seed) {
  population_.players = 1;
  population_.session = seconds(1);
  population_.session_players = 1;
  const std::uint64_t incidents = with_incidents ? random_.poisson(1) : 0;
  for (std::uint64_t i = 0; i < incidents; ++i) incidents_.push_back(draw_incident(&random_));
}

std::array<BadCounts, kServices> AlertWorld::tick(Duration end) {
  if (end.count() % hours(1).count() == 0) {
    for (double& drift : drift_) drift = 0.7 * drift + 0.71 * kDriftSd * random_.normal();
  }
  const double per_tick = double(kAlertTick.count()) / double(hours(1).count());
  if (end >= shock_ends_) {
    shock_ = 1;
    if (random_.chance(population_.shocks_per_hour * per_tick)) {
      shock_ = 1 + 3 * random_.uniform();
      shock_ends_ = end + Duration(std::int64_t(random_.uniform() * 20 * 60'000));
    }
  }
  std::array<BadCounts, kServices> out;
  for (std::size_t service = 0; service < kServices; ++service)
    out[service] = counts_of(service, end, shock_ * std::exp(drift_[service]));
  return out;
}

BadCounts AlertWorld::counts_of(std::size_t service, Duration now, double trouble) {
  const sim::RegionCrowd everywhere{"", 1, 0};
  const double rate = kPerSecond[service] * sim::sessions_per_s(population_, everywhere,
                                                                instant_ms(now.count()), now, {});
  BadCounts out;
  out.n = std::int64_t(random_.poisson(rate * double(kAlertTick.count()) / 1000));
  const double usual = std::min(1.0, kAllowed / 3 * trouble);
  out.bad = std::int64_t(random_.binomial(std::uint64_t(out.n), usual));
  for (Incident& incident : incidents_) {
    if (!incident.hits[service] || now < incident.from || now >= incident.to) continue;
    const auto more =
        std::int64_t(random_.binomial(std::uint64_t(out.n - out.bad), incident.more_bad));
    out.bad += more;
    incident.harmed += double(more);
  }
  out.squares = out.bad;
  const double deaths =
      kServerDeathsPerDay * double(kAlertTick.count()) / double(hours(24).count());
  if (service == kMatches && random_.chance(deaths)) {
    out.n += kServerSessions;
    out.bad += kServerSessions;
    out.squares += kServerSessions * kServerSessions;
  }
  return out;
}

}  // namespace showcaller::bench
