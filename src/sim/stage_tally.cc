// SPDX-License-Identifier: Apache-2.0
#include "sim/stage_tally.h"

namespace showcaller::sim {

MetricCounts StageTally::counts_of(const Said& said) {
  MetricCounts out{said.n, said.x, {}};
  if (!said.values.empty()) out.histogram.emplace().record_all(said.values);
  return out;
}

void StageTally::add(std::size_t group, std::size_t metric, const Outcome& outcome) {
  if (group >= is_touched_.size()) {
    is_touched_.resize(group + 1);
    cells_.resize((group + 1) * metrics_);
  }
  if (!is_touched_[group]) {
    is_touched_[group] = true;
    touched_.push_back(std::uint32_t(group));
  }
  const std::size_t at = group * metrics_ + metric;
  Cell& cell = cells_[at];
  cell.said = true;
  if (outcome.value) {
    ++cell.values;
    values_.emplace_back(std::uint32_t(at), *outcome.value);
  } else {
    cell.n += outcome.n;
    cell.x += outcome.x;
  }
}

void StageTally::sort_values() {
  std::uint32_t first = 0;
  for (const std::uint32_t group : touched_) {
    for (std::size_t metric = 0; metric < metrics_; ++metric) {
      Cell& cell = cells_[group * metrics_ + metric];
      cell.first = first;
      first += cell.values;
      cell.values = 0;  // Counted again as they find their places.
    }
  }
  sorted_.resize(values_.size());
  for (const auto& [at, value] : values_) {
    Cell& cell = cells_[at];
    sorted_[cell.first + cell.values++] = value;
  }
}

}  // namespace showcaller::sim
