// SPDX-License-Identifier: Apache-2.0
// What sessions that ended say, added up by whom it is told of: a judged stage's arm, or a source
// of the hour before a stage; and in it by group. Flat, for it is written to several times a
// session. Threads: none.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "flow/baseline_history.h"
#include "sim/truth.h"

namespace showcaller::sim {

class StageTally {
 public:
  explicit StageTally(std::size_t metrics) : metrics_(metrics) {}

  void add(std::size_t group, std::size_t metric, const Outcome& outcome);
  // Gives each group's counts of a metric that said anything since the last call, and forgets them.
  // `sink(group, metric, counts)`, in the order of the first word of each group.
  template <class Sink>
  void take(Sink&& sink) {
    for (const std::uint32_t group : touched_) {
      for (std::size_t metric = 0; metric < metrics_; ++metric) {
        Cell& cell = cells_[group * metrics_ + metric];
        if (!cell.said) continue;
        cell.said = false;
        sink(std::size_t(group), metric, std::exchange(cell.counts, {}));
      }
      is_touched_[group] = false;
    }
    touched_.clear();
  }

 private:
  struct Cell {
    MetricCounts counts;
    bool said = false;
  };
  std::size_t metrics_;
  std::vector<Cell> cells_;  // by group, then metric
  std::vector<std::uint32_t> touched_;
  std::vector<bool> is_touched_;
};

}  // namespace showcaller::sim
