// SPDX-License-Identifier: Apache-2.0
#include "flow/felt_tally.h"

namespace showcaller {

void FeltTally::learn(const BaselineSource& source, const std::string& metric,
                      const std::string& group, const MetricCounts& counts) {
  if (!watches(metric)) return;
  Groups& groups = felt_[source][metric];
  auto at = groups.find(group);
  if (at == groups.end()) {
    const bool full = groups_ >= kFeltGroupsMax;
    if (!full) ++groups_;
    at = groups.try_emplace(full ? "" : group).first;
  }
  at->second.add(counts);
}

std::vector<FeltCounts> FeltTally::take() {
  std::vector<FeltCounts> out;
  for (auto& [source, metrics] : felt_) {
    for (auto& [metric, groups] : metrics) {
      FeltCounts& felt = out.emplace_back(FeltCounts{source, metric, {}});
      felt.groups.reserve(groups.size());
      for (auto& [group, counts] : groups) felt.groups.push_back(std::move(counts));
    }
  }
  felt_.clear();
  groups_ = 0;
  return out;
}

}  // namespace showcaller
