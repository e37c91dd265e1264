// SPDX-License-Identifier: Apache-2.0
// Sessions one by one: the production's allocator gives them their places, and game servers report
// what happened to them in batches of the SDK's own form, over a path that delays, loses and
// repeats. For paths; evidence_level.h is for rates and statistics.
#pragma once

#include <map>
#include <string>

#include "codec/telemetry.h"
#include "host/host.h"
#include "sim/assigner.h"
#include "sim/crowd.h"

namespace showcaller::sim {

// What is on its way to the server, and outlasts its restarts.
struct ReportPath {
  std::vector<TelemetryDelta> said;
  std::int64_t next_batch = 1;
  std::multimap<Duration, std::string> under_way;  // batches as they travel, by their arrival
};

class SessionLevel final : public Seating {
 public:
  SessionLevel(Host* host, const Assigner* assigner, Truth* truth, VirtualFleet* fleet,
               ReportPath* path, std::uint64_t seed);

  bool never_asks(const AllocationRequest& request, Random* random) override;
  std::optional<Seat> seat(const AllocationRequest& request) override;
  void ended(const Playing& session, bool crashed) override;
  // Sends what was said since the last call, and delivers what has arrived by now.
  void deliver(Duration now);
  std::int64_t refused_reports() const { return refused_; }

 private:
  void say(const Playing& session, const Measured& metric, TelemetryDelta delta, bool is_bad);
  void send(Duration now);

  Host* host_;
  const Assigner* assigner_;
  Truth* truth_;
  VirtualFleet* fleet_;
  ReportPath* path_;
  Random random_;
  std::int64_t refused_ = 0;
};

}  // namespace showcaller::sim
