// SPDX-License-Identifier: Apache-2.0
// An objective on what players feel, and how fast its error budget may burn before somebody is
// told.
//
// A page needs no window to fill: `page_above` is held against the evidence at every look
// (analysis/burn_detector.h). Rules with windows come beside it: for tickets, for what burns so
// slowly that it takes hours to show, and for degradation.
//
// Burn is the share of what is bad over the share that may be: at 1 the budget lasts its window, at
// 14.4 two hundredths of a budget of 30 days go in an hour. Source of the windows and factors: The
// Site Reliability Workbook, "Alerting on SLOs", multiwindow, multi-burn-rate alerts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/spec/alert_severity.h"

namespace showcaller {

struct BurnRule {
  Duration over{};   // the evidence
  Duration still{};  // and it still burns over this shorter time
  double factor = 1;
  AlertSeverity severity = AlertSeverity::Page;
};

struct SloSpec {
  std::string name, metric;
  double objective = 0.999;
  Duration window = hours(24 * 28);
  std::optional<double> at_most;  // quantile metrics: what is above is bad
  std::vector<BurnRule> burn;     // the fastest first
  double page_above = 2;          // pages as soon as a burn above it is proven; 0: never so
  std::int64_t harmed_min = 10;   // a page needs so many bad in the time of its evidence
};

}  // namespace showcaller
