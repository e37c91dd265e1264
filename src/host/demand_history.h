// SPDX-License-Identifier: Apache-2.0
// The demand that each fleet has had: the most sessions at once in each region, hour by hour, and
// what is forecast from it. Five weeks in memory; kept over restarts in a stream of the evidence
// store for each week of a fleet ("fleet/raid/demand/2026-11-30", the week's Monday), so that old
// weeks go as old evidence does.
//
//   line = {"hour": "2026-12-01T18:00:00Z", "sessions": {REGION: whole}}
//
// An hour has several lines: the most so far is written while it rises, a quarter of an hour apart,
// and again when the hour is over; the largest counts. Hours in which nobody looked stay unknown.
//
// Threads: none; one caller. Limits: 840 hours, and 256 regions a fleet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "compute/demand_outlook.h"
#include "flow/port/evidence_store.h"

namespace showcaller {

using SessionsByRegion = std::map<std::string, std::int64_t>;

class DemandHistory {
 public:
  explicit DemandHistory(EvidenceStore* store) : store_(store) {}

  // One look at a fleet; `wall` is the clock on the wall. What is forecast after it: made anew each
  // hour.
  std::shared_ptr<const DemandOutlook> observe(const std::string& fleet,
                                               const SessionsByRegion& sessions, Instant wall,
                                               std::vector<Error>* errors);

 private:
  struct Fleet {
    std::map<Instant, SessionsByRegion> hours;  // by their begin; the present one too
    Instant told{};                             // when the present one was last written
    bool untold = false;                        // it has risen since
    std::shared_ptr<const DemandOutlook> outlook;
  };

  Fleet& fleet_of(const std::string& name, Instant hour, std::vector<Error>* errors);
  void read_week(const std::string& stream, Fleet* fleet, std::vector<Error>* errors);
  // True: it is on disk.
  bool tell(const std::string& name, Instant hour, const Fleet& fleet, std::vector<Error>* errors);

  EvidenceStore* store_;
  std::map<std::string, Fleet> fleets_;
};

// A line of the stream, for who brings a history along.
std::string demand_stream(const std::string& fleet, Instant hour);
std::string demand_line(Instant hour, const SessionsByRegion& sessions);

// Pure: from whole hours before `now_hour`.
DemandOutlook outlook_of(const std::map<Instant, SessionsByRegion>& hours, Instant now_hour);

}  // namespace showcaller
