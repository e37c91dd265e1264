// SPDX-License-Identifier: Apache-2.0
// Port: what was counted of judged stages, tick by tick, and of the hour before them. On stage that
// is what players' sessions and reports add up to (counted_stages.h); a rehearsal of rates and
// statistics brings counts of its own.
//
// Stages are named by their key ("winter-raid/r1/v3"). Threads: called by one, the reconcilers';
// plan_facts() reads totals() from any.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

#include "evidence/tick.h"
#include "flow/baseline_history.h"
#include "flow/telemetry_intake.h"

namespace showcaller {

class StageCounts {
 public:
  virtual ~StageCounts() = default;
  // These are judged now; what others count is dropped.
  virtual void watch(const std::set<std::string>& stages) = 0;
  // What came since the last call.
  virtual StageTick take_tick(const std::string& stage) = 0;
  // Units that the stage drew for each arm since the last call, each unit once.
  virtual UnitCounts take_units(const std::string& stage) = 0;
  // What players felt since the last call, of these metrics: objectives are about them.
  virtual void watch_felt(std::set<std::string> metrics) = 0;
  virtual std::vector<FeltCounts> take_felt() = 0;
  // Of the last hour, all the sources together.
  virtual std::map<std::string, MetricCounts> totals(std::span<const BaselineSource> sources,
                                                     Instant now) const = 0;
  virtual BaselineGroups groups(std::span<const BaselineSource> sources, const std::string& metric,
                                Instant now) const = 0;
};

}  // namespace showcaller
