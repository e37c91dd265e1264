// SPDX-License-Identifier: Apache-2.0
// What players felt since somebody last asked: of each source and metric the counts of each group
// (instance, or hash bucket of units), for objectives. Only what servers say, and only of metrics
// that some objective is about.
//
// Limits: kFeltGroupsMax groups between two askings; of the rest the counts go to one more group.
// Pure. Threads: none.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "flow/baseline_history.h"

namespace showcaller {

constexpr std::size_t kFeltGroupsMax = 20'000;

struct FeltCounts {
  BaselineSource source;
  std::string metric;
  std::vector<MetricCounts> groups;
};

class FeltTally {
 public:
  void watch(std::set<std::string> metrics) { metrics_ = std::move(metrics); }
  bool watches(const std::string& metric) const { return metrics_.contains(metric); }
  void learn(const BaselineSource& source, const std::string& metric, const std::string& group,
             const MetricCounts& counts);
  // And forgets it.
  std::vector<FeltCounts> take();

 private:
  std::set<std::string> metrics_;
  using Groups = std::map<std::string, MetricCounts>;
  std::map<BaselineSource, std::map<std::string, Groups>> felt_;  // by metric
  std::size_t groups_ = 0;
};

}  // namespace showcaller
