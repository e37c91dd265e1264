// SPDX-License-Identifier: Apache-2.0
// How much baseline groups differ from each other beyond chance. Only the baseline is asked, so
// that an effect of the canary cannot hide in the noise it is compared with.
//
// Player assignment: the dispersion phi of hash buckets. Instance assignment: the variance tau^2
// between instances, shrunk towards what is known of the service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "analysis/gate.h"

namespace showcaller {

struct GroupTotal {
  double n = 0;
  double x = 0;
  std::uint32_t stratum = 0;
};

struct GroupNoise {
  double floor = 1;  // phi of pure chance: 1 - p, or 1 where events may exceed units
  double phi = 1;
  double tau2 = 0;  // instance assignment
  double nu = 6;
  double nu_data = 0;      // what the groups themselves are worth
  double effective = 0;    // groups, weighed by exposure: (sum n)^2 / sum n^2
  double expected = 0;     // events
  std::size_t groups = 0;  // with exposure
};

// (sum n)^2 / sum n^2.
double effective_groups(std::span<const double> n);

// `clump`: how many events come together inside an instance (instance assignment).
GroupNoise measure_noise(std::span<const GroupTotal> groups, MetricKind kind, Assignment assignment,
                         const NoisePrior& prior, double clump = 1);

}  // namespace showcaller
