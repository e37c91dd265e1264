// SPDX-License-Identifier: Apache-2.0
#include "engine/burn_severity.h"

#include <algorithm>
#include <cmath>

#include "engine/alert_subjects.h"

namespace showcaller {
namespace {

// Ten weeks of looks every ten seconds.
constexpr double kLooksAPage = 600'000;
constexpr double kShareLeast = 1e-4;  // that nobody looks at for ever proves nothing

bool is_on(const EventState& event) {
  return event.manifest && (may_admit(event.phase) || event.phase == Phase::Settling);
}

bool is_any_on(const World& world) {
  bool any = false;
  world.events.each([&](const std::string&, const EventState& event) { any |= is_on(event); });
  return any;
}

}  // namespace

double page_bound(const SloSpec& slo) {
  if (slo.page_above <= 0) return 0;
  const double allowed = 1 - slo.objective;
  return std::min(slo.page_above * allowed, (1 + allowed) / 2);
}

double stake_of(const World& world, const std::string& service, const std::string& event,
                std::int64_t players) {
  const EventState* state = event.empty() ? nullptr : world.event(event);
  const double weight =
      state && state->manifest ? weight_of_event(*state) : weight_of_service(world, service);
  return (1 + double(players)) * weight;
}

double evidence_needed(double share) {
  return std::log(kLooksAPage / std::clamp(share, kShareLeast, 1.0));
}

double weight_of_event(const EventState& event) {
  double weight = 1;
  if (event.spec().risk == Risk::High) weight = 2;
  if (event.spec().risk == Risk::Low) weight = 0.5;
  return event.phase == Phase::Settling ? weight / 2 : weight;
}

double weight_of_service(const World& world, const std::string& service) {
  double weight = 1;
  if (!is_any_on(world)) return weight;
  for (const std::string& subject : upstream_of(world, subject_name(Kind::Service, service))) {
    const auto parts = parse_subject(subject);
    if (!parts || parts->kind != Kind::LiveEvent) continue;
    const EventState* event = world.event(parts->name);
    if (event && is_on(*event)) weight = std::max(weight, weight_of_event(*event));
  }
  return weight;
}

namespace {

constexpr Duration kSeenWithin = minutes(5);

double weight_of(const World& world, const BurnReading& reading) {
  const EventState* event = reading.event.empty() ? nullptr : world.event(reading.event);
  return event && event->manifest ? weight_of_event(*event)
                                  : weight_of_service(world, reading.service);
}

// Beyond what the budget allows: that calls nobody.
bool harms_enough(const SloSpec& slo, const BurnProof& proof, double weight) {
  const double harmed = double(proof.bad) - (1 - slo.objective) * double(proof.n);
  return harmed * weight >= double(slo.harmed_min);
}

double factor_of(const BurnRule& rule, double weight) {
  return std::max(1.0, rule.factor / weight);
}

}  // namespace

BurnReading burn_reading(const SloSpec& slo, const RollingCounts& counts, Instant now) {
  BurnReading out;
  const BadCounts recent = counts.over(kSeenWithin, now);
  out.seen = recent.n > 0;
  std::optional<double> at_most;  // of the last minutes; asked for where something burns
  for (const BurnRule& rule : slo.burn) {
    const BadCounts over = counts.over(rule.over, now);
    // What was looked at for less than the shorter time says nothing of the longer.
    const bool is_known = counts.since() != Instant{} && now - counts.since() >= rule.still;
    double still = burn_of(counts.over(rule.still, now), slo.objective);
    // What is over shows in the last minutes before it does in longer times.
    if (still >= std::min(1.0, rule.factor / 2)) {
      if (!at_most) at_most = burn_at_most(recent, slo.objective);
      still = std::min(still, *at_most);
    }
    out.rules.push_back({is_known ? proven_burn(over, slo.objective) : 0, still, over.n, over.bad});
  }
  return out;
}

bool has_eased(const World& world, const SloSpec& slo, const BurnReading& reading,
               AlertSeverity severity) {
  if (!reading.seen) return false;
  const bool is_calm = reading.proof.calm >= kCalmEnough && reading.proof.evidence < reading.needed;
  if (reading.needed > 0 && !is_calm) return false;
  const double weight = weight_of(world, reading);
  for (std::size_t i = 0; i < slo.burn.size(); ++i) {
    if (slo.burn[i].severity <= severity &&
        reading.rules[i].still >= factor_of(slo.burn[i], weight) / 2)
      return false;
  }
  return true;
}

std::optional<Burning> burn_severity(const World& world, const SloSpec& slo,
                                     const BurnReading& reading) {
  const auto suspect = [&](std::size_t i) {
    return reading.rules[i].proven >= 1 && reading.rules[i].still >= 1;
  };
  const bool is_proven = reading.needed > 0 && reading.proof.evidence >= reading.needed;
  std::size_t i = 0;
  while (i < slo.burn.size() && !suspect(i)) ++i;
  // Most often: then nobody asks what it weighs.
  if (i == slo.burn.size() && !is_proven) return std::nullopt;
  const double weight = weight_of(world, reading);
  std::optional<Burning> out;
  if (is_proven && harms_enough(slo, reading.proof, weight))
    out = Burning{std::nullopt, AlertSeverity::Page};
  for (; i < slo.burn.size(); ++i) {
    const BurnReading::Rule& seen = reading.rules[i];
    const double factor = factor_of(slo.burn[i], weight);
    if (seen.proven < factor || seen.still < factor) continue;
    Burning burning{i, slo.burn[i].severity};
    if (double(seen.bad) * weight < double(slo.harmed_min))
      burning.severity = AlertSeverity::Ticket;
    if (!out || burning.severity < out->severity) out = burning;
  }
  return out;
}

}  // namespace showcaller
