// SPDX-License-Identifier: Apache-2.0
// A histogram that came as a data point, with explicit bounds or base-2 exponential: checked, taken
// apart from what was told before, and put into our own. Pure.
//
// Of a bucket between two bounds it is not known where in it its values lie: they are put at its
// geometric middle, those of the first bucket at half of its bound, those past the last bound at
// one and a half times of it. Counts above a cut that is one of the bounds are exact.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "evidence/data_points.h"
#include "evidence/histogram.h"
#include "flow/series_table.h"

namespace showcaller {

// Invalid: its counts and bounds do not fit together, or are out of range.
Result<ToldDistribution> told_of(const DataPoints& points, PointKind kind,
                                 const DistributionPoint& point);
inline std::span<const double> bounds_of(const DataPoints& points, const DistributionPoint& point) {
  return std::span(points.bounds).subspan(point.bounds.first, point.bounds.count);
}

// Leaves in `now` what came since `before`. All of it stays where a count fell: it began anew.
// Nothing stays where the bounds are others.
void subtract(const ToldDistribution& before, ToldDistribution* now);
std::int64_t count_of(const ToldDistribution& told);

struct DistributionView {
  const ToldDistribution& told;
  std::span<const double> bounds;  // of an explicit one
  double factor = 1;               // from its unit to the metric's
};
void merge_into(const DistributionView& view, ExponentialHistogram* histogram);
// Values above the cut, which is in the metric's unit; of explicit buckets, above the next bound.
std::int64_t count_above(const DistributionView& view, double cut);

// What a value in the one unit is in the other, for units of time; else 1.
double unit_factor(std::string_view from, std::string_view to);

}  // namespace showcaller
