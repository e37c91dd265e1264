// SPDX-License-Identifier: Apache-2.0
#include "analysis/bake_planner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/special.h"

namespace showcaller {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// Units for the e-value to cross its threshold, instance effects aside.
double units_by_evidence(const BakeQuestion& q) {
  const double r = q.ratio;
  const double growth = std::log(r) - std::log1p(q.margin);
  if (q.rate <= 0 || growth <= 0) return kNever;
  // Events a canary unit brings, its own and the baseline's beside it; theta of them are the
  // canary's.
  const double all = q.rate * r + q.rate * (1 - q.share) / q.share;
  const double theta = q.rate * r / all;
  const double null_odds = (1 + q.margin) * q.share / (1 - q.share);
  const double null_theta = null_odds / (1 + null_odds);
  const double up = std::log(theta / null_theta);
  const double down = std::log((1 - theta) / (1 - null_theta));
  const double drift = all * (theta * up + (1 - theta) * down) / q.phi;
  const double variance = all * theta * (1 - theta) * (up - down) * (up - down) / q.phi;
  const double z = q.power == 0.5 ? 0 : normal_tail_inverse(1 - q.power);
  const double target = std::log(e_threshold(q.profile) * q.strictness / q.weight);
  double n = 100;
  for (int i = 0; i < 20; ++i) {
    const double information = n * q.rate / q.phi;
    const double mixing = 0.5 * std::log(2 + information * growth * growth) + 0.9;
    const double root =
        z * std::sqrt(variance) + std::sqrt(z * z * variance + 4 * drift * (target + mixing));
    n = std::max(1.0, (root / (2 * drift)) * (root / (2 * drift)));
  }
  return n;
}

double critical_score(const BakeQuestion& q) {
  const double alpha = score_alpha(q.profile) / q.strictness * q.score_weight / 2;
  const double nu = q.nu > 0 ? q.nu : q.noise.nu + std::max(0.0, q.baseline_instances - 1);
  return student_tail_inverse(alpha, nu);
}

double variance_between(const BakeQuestion& q) {
  if (q.variance_between >= 0) return q.variance_between;
  const double tau2 = q.noise.tau * q.noise.tau;
  return tau2 * (1 / std::max(1.0, q.canary_instances) + 1 / std::max(1.0, q.baseline_instances));
}

}  // namespace

double e_threshold(GateProfile profile) {
  return profile == GateProfile::Guaranteed ? 200 : 12;
}
double score_alpha(GateProfile profile) {
  return profile == GateProfile::Guaranteed ? 0.005 : 0.015;
}

double units_to_detect(const BakeQuestion& q) {
  const double by_evidence = units_by_evidence(q);
  if (q.assignment == Assignment::Player || !std::isfinite(by_evidence)) return by_evidence;
  // The whole variance of the log ratio that still lets the score fire with this power; instance
  // effects take their part of it, and no number of sessions gives that back.
  const double growth = std::log(q.ratio) - std::log1p(q.margin);
  const double reach = growth / (critical_score(q) + normal_tail_inverse(1 - q.power));
  const double left = reach * reach - variance_between(q);
  if (left <= 0) return kNever;
  // The canary's own events: between as many as without the growth and as many as with it.
  const double canary_part = (1 + 1 / q.ratio) / 2;
  const double by_score = q.phi * (canary_part + q.share / (1 - q.share)) / (left * q.rate);
  return std::max(by_evidence, by_score);
}

int canary_instances_needed(const BakeQuestion& q) {
  if (q.assignment == Assignment::Player) return 1;
  const double growth = std::log(q.ratio) - std::log1p(q.margin);
  const double reach = growth / (critical_score(q) + normal_tail_inverse(1 - q.power));
  const double tau2 = q.noise.tau * q.noise.tau;
  const double left = reach * reach - tau2 / std::max(1.0, q.baseline_instances);
  if (growth <= 0 || left <= 0) return 0;
  const double needed = std::floor(tau2 / left) + 1;
  return needed > 1e6 ? 0 : int(needed);
}

BakePlan plan_bake(const BakeQuestion& question, const BakeTraffic& traffic) {
  BakePlan plan;
  const double bake = double(std::max<std::int64_t>(0, traffic.planned_s - traffic.warmup_s));
  const auto units_at = [&](double share) { return traffic.units_per_s * share * bake; };
  plan.canary_units_planned = units_at(question.share);
  plan.units = units_to_detect(question);
  BakeQuestion even = question;
  even.power = 0.5;
  plan.units_median = units_to_detect(even);
  plan.canary_instances_needed = canary_instances_needed(question);
  plan.enough = plan.units <= plan.canary_units_planned;
  plan.seconds = kNever;
  if (std::isfinite(plan.units) && traffic.units_per_s > 0) {
    plan.seconds = double(traffic.warmup_s) + plan.units / (traffic.units_per_s * question.share);
  }
  // The needed growth falls as units rise: bisect on its logarithm.
  const auto enough_for = [&](double ratio) {
    BakeQuestion q = question;
    q.ratio = ratio;
    return units_to_detect(q) <= plan.canary_units_planned;
  };
  double low = std::log1p(question.margin), high = std::log(1000.0);
  plan.detectable_ratio = kNever;
  if (enough_for(std::exp(high))) {
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (enough_for(std::exp(middle)) ? high : low) = middle;
    }
    plan.detectable_ratio = std::exp(high);
  }
  for (int percent = 1; percent <= 50; ++percent) {
    BakeQuestion q = question;
    q.share = percent / 100.0;
    if (q.share < question.share) continue;
    if (units_to_detect(q) <= units_at(q.share)) {
      plan.share_needed = q.share;
      break;
    }
  }
  if (plan.enough) plan.share_needed = question.share;
  return plan;
}

}  // namespace showcaller
