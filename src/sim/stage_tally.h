// SPDX-License-Identifier: Apache-2.0
// What sessions that ended say, added up by group. Flat, for it is written to several times a
// session: values lie in one row, in the order in which they came, until they are taken.
//
// Threads: none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "flow/baseline_history.h"
#include "sim/said_log.h"

namespace showcaller::sim {

class StageTally {
 public:
  // Of a group and a metric.
  struct Said {
    std::size_t group = 0, metric = 0;
    std::int64_t n = 0, x = 0;
    std::span<const double> values;  // instead; good until the next call of the tally
  };
  static MetricCounts counts_of(const Said& said);

  explicit StageTally(std::size_t metrics) : metrics_(metrics) {}

  void add(std::size_t group, std::size_t metric, const SaidLog::Said& said) {
    Cell& cell = cell_at(group, metric);
    cell.n += said.n();
    cell.x += said.x();
  }
  // Of what is measured.
  void add_value(std::size_t group, std::size_t metric, double value) {
    ++cell_at(group, metric).values;
    values_.emplace_back(std::uint32_t(group * metrics_ + metric), value);
  }
  // How many groups said something.
  std::size_t groups() const { return touched_.size(); }
  // Gives what was said since the last call, and forgets it. `sink(said)`, in the order of the
  // groups' ranks; by default of the first word of each.
  template <class Sink>
  void take(Sink&& sink, std::span<const std::uint32_t> rank = {}) {
    if (!rank.empty()) {
      std::sort(touched_.begin(), touched_.end(),
                [&](std::uint32_t a, std::uint32_t b) { return rank[a] < rank[b]; });
    }
    sort_values();
    for (const std::uint32_t group : touched_) {
      for (std::size_t metric = 0; metric < metrics_; ++metric) {
        Cell& cell = cells_[group * metrics_ + metric];
        if (cell.n > 0 || cell.values > 0) {
          sink(Said{group, metric, cell.n, cell.x,
                    std::span(sorted_).subspan(cell.first, cell.values)});
        }
        cell = {};
      }
      is_touched_[group] = false;
    }
    touched_.clear();
    values_.clear();
  }

 private:
  struct Cell {
    std::int64_t n = 0, x = 0;
    std::uint32_t values = 0, first = 0;  // how many, and where they begin once sorted
  };
  Cell& cell_at(std::size_t group, std::size_t metric) {
    if (group >= is_touched_.size() || !is_touched_[group]) touch(group);
    return cells_[group * metrics_ + metric];
  }
  void touch(std::size_t group);
  void sort_values();

  std::size_t metrics_;
  std::vector<Cell> cells_;  // by group, then metric
  std::vector<std::uint32_t> touched_;
  std::vector<char> is_touched_;
  std::vector<std::pair<std::uint32_t, double>> values_;  // each with its cell
  std::vector<double> sorted_;                            // by cell
};

}  // namespace showcaller::sim
