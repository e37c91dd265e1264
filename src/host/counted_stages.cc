// SPDX-License-Identifier: Apache-2.0
#include "host/counted_stages.h"

namespace showcaller {

void CountedStages::watch(const std::set<std::string>& stages) {
  std::lock_guard lock(*mutex_);
  intake_->watch(stages);
}

void CountedStages::watch_felt(std::set<std::string> metrics) {
  std::lock_guard lock(*mutex_);
  intake_->watch_felt(std::move(metrics));
}

std::vector<FeltCounts> CountedStages::take_felt() {
  std::lock_guard lock(*mutex_);
  return intake_->take_felt();
}

StageTick CountedStages::take_tick(const std::string& stage) {
  std::lock_guard lock(*mutex_);
  return intake_->take_tick(stage);
}

std::map<std::string, MetricCounts> CountedStages::totals(std::span<const BaselineSource> sources,
                                                          Instant now) const {
  std::lock_guard lock(*mutex_);
  return intake_->history().totals(sources, now);
}

BaselineGroups CountedStages::groups(std::span<const BaselineSource> sources,
                                     const std::string& metric, Instant now) const {
  std::lock_guard lock(*mutex_);
  return intake_->history().groups(sources, metric, now);
}

}  // namespace showcaller
