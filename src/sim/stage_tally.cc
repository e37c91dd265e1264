// SPDX-License-Identifier: Apache-2.0
#include "sim/stage_tally.h"

namespace showcaller::sim {

MetricCounts StageTally::counts_of(const Said& said) {
  MetricCounts out{said.n, said.x, {}};
  if (!said.values.empty()) out.histogram.emplace().record_all(said.values);
  return out;
}

void StageTally::touch(std::size_t group) {
  if (group >= is_touched_.size()) {
    is_touched_.resize(group + group / 2 + 1);
    cells_.resize(is_touched_.size() * metrics_);
  }
  is_touched_[group] = true;
  touched_.push_back(std::uint32_t(group));
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
