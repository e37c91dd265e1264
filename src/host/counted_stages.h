// SPDX-License-Identifier: Apache-2.0
// What sessions and reports add up to: the telemetry intake, and the draws of the allocation desk.
#pragma once

#include <mutex>

#include "host/allocation_desk.h"
#include "host/port/stage_counts.h"

namespace showcaller {

class CountedStages final : public StageCounts {
 public:
  // The mutex is what reports are taken under: held for a moment, never for the disk.
  CountedStages(std::mutex* mutex, TelemetryIntake* intake, AllocationDesk* desk)
      : mutex_(mutex), intake_(intake), desk_(desk) {}

  void watch(const std::set<std::string>& stages) override;
  void watch_felt(std::set<std::string> metrics) override;
  std::vector<FeltCounts> take_felt() override;
  StageTick take_tick(const std::string& stage) override;
  UnitCounts take_units(const std::string& stage) override { return desk_->take_units(stage); }
  std::map<std::string, MetricCounts> totals(std::span<const BaselineSource> sources,
                                             Instant now) const override;
  BaselineGroups groups(std::span<const BaselineSource> sources, const std::string& metric,
                        Instant now) const override;

 private:
  std::mutex* mutex_;
  TelemetryIntake* intake_;
  AllocationDesk* desk_;
};

}  // namespace showcaller
