// SPDX-License-Identifier: Apache-2.0
// Has the probes made that are due here, takes what is reported of those made elsewhere, and tells
// readiness checks how they stand.
//
// Threads: pass() by one; note() and list() by any; outcomes come back on the port's threads, also
// when this is gone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flow/port/probe.h"
#include "flow/probe_schedule.h"
#include "flow/telemetry_intake.h"
#include "host/engine_host.h"

namespace showcaller {

// As readers see it.
struct ProbeView {
  std::string probe;
  ProbeStanding::Verdict verdict;
  std::map<std::string, ProbeStanding::Place> places;  // by region
};

class ProbeRunner {
 public:
  // Counts an outcome as evidence.
  using CountDelta = std::function<void(std::vector<ReportedDelta>)>;
  // Told when journeys from a region begin to fail, and when they are good again (`wrong` empty).
  using OnChange = std::function<void(const std::string& probe, const std::string& region,
                                      const std::string& wrong)>;

  // `port` null: no journey is made here. `regions`: where this is, for probes that name theirs.
  ProbeRunner(EngineHost* host, ProbePort* port, std::set<std::string> regions, CountDelta count,
              OnChange on_change);
  ~ProbeRunner();

  void pass();
  // Deltas of probes among those that were reported from outside.
  void note(std::span<const ReportedDelta> deltas);
  std::vector<ProbeView> list() const;

 private:
  using Key = std::pair<std::string, std::string>;  // probe, region
  struct Due {
    Instant at{};
    std::uint64_t journey = 1;
    bool under_way = false;
  };
  // What outlives the runner, for outcomes that come late.
  struct Line {
    std::mutex mutex;
    ProbeRunner* runner = nullptr;
  };

  std::vector<ProbeCall> due_calls(const World& world, Instant now);
  void forget_removed(const World& world);
  void finished(const ProbeCall& call, const ProbeResult& result);
  void heard(const std::string& probe, const std::string& region, const std::string& wrong,
             Duration took);
  void tell_readiness(const World& world, Instant now);
  bool is_being_made(const std::string& probe) const;  // with mutex_ held

  EngineHost* host_;
  ProbePort* port_;
  const std::set<std::string> regions_;
  CountDelta count_;
  OnChange on_change_;
  mutable std::mutex mutex_;
  std::map<Key, Due> due_;
  std::map<std::string, ProbeStanding> standings_;
  std::shared_ptr<Line> line_ = std::make_shared<Line>();
};

// An outcome as telemetry: `probe.NAME`, and, of a good one, `probe.NAME.latency`. The region is
// the stratum.
std::vector<ReportedDelta> deltas_of(const std::string& probe, const std::string& region,
                                     const ProbeResult& result);

}  // namespace showcaller
