// SPDX-License-Identifier: Apache-2.0
#include "sim/stage_tally.h"

namespace showcaller::sim {

void StageTally::add(std::size_t group, std::size_t metric, const Outcome& outcome) {
  if (group >= is_touched_.size()) {
    is_touched_.resize(group + 1);
    cells_.resize((group + 1) * metrics_);
  }
  if (!is_touched_[group]) {
    is_touched_[group] = true;
    touched_.push_back(std::uint32_t(group));
  }
  Cell& cell = cells_[group * metrics_ + metric];
  cell.said = true;
  if (outcome.value) {
    if (!cell.counts.histogram) cell.counts.histogram.emplace();
    cell.counts.histogram->record(*outcome.value);
  } else {
    cell.counts.n += outcome.n;
    cell.counts.x += outcome.x;
  }
}

}  // namespace showcaller::sim
