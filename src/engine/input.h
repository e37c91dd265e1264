// SPDX-License-Identifier: Apache-2.0
// All that reaches the engine: commands, and what the host observed of the world outside.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "analysis/burn_detector.h"
#include "analysis/gate.h"
#include "base/json.h"
#include "base/result.h"
#include "base/shared.h"
#include "compute/demand_outlook.h"
#include "compute/port/fleet_driver.h"
#include "model/command.h"

namespace showcaller {

// One pass over a fleet: what its driver says runs.
struct FleetObserved {
  std::string fleet;
  Shared<std::vector<ObservedInstance>> instances;
  std::shared_ptr<const DemandOutlook> outlook;  // of its demand; null: none was made
};

// One look at the evidence of a judged stage. Gates that cannot be judged there are absent.
struct GateReading {
  std::string gate;  // "" is the stage as a whole
  Verdict verdict = Verdict::Thin;
  bool client_evidence_only = false;  // such evidence alone may only hold
  json::object statistics;
  std::string why;
};
struct GateLooked {
  std::string event;
  std::int64_t revision = 0, visit = 0;
  std::int64_t evidence_s =
      0;  // judged seconds of the visit: downtime and empty ticks do not count
  std::int64_t evidence_offset = 0;
  std::string evidence_hash;
  std::vector<GateReading> readings;
};

// What came of an action of the change-set.
struct StepReported {
  std::string event;
  std::int64_t revision = 0;
  int step = 0;
  StepDirection direction = StepDirection::Do;
  std::int64_t attempt = 0;
  StepOutcome outcome = StepOutcome::Unknown;
  std::string detail;
};

// A readiness check was made: "client", "bundle:raid-assets", "probe:raid-join". Capacity is the
// engine's own.
struct ReadinessObserved {
  std::string event, check;
  bool ready = false;
  std::string detail;
};

// An inject of a drill is due, and these instances are there for it.
struct DrillDue {
  std::string drill, inject, fault;
  std::vector<std::string> instances;
  Instant until{};
};
struct DrillOver {
  std::string drill, verdict, reason;
  json::object report;
};
struct TotalsObserved {  // of a stage's sessions, from the allocator
  std::string event;
  std::int64_t revision = 0, visit = 0, canary = 0, baseline = 0;
};
struct LedgerObserved {
  std::string event;
  std::int64_t revision = 0, rows = 0, players = 0;
  std::string root;
};
// How fast the error budget of an objective burns, of everybody or among one event's players.
struct BurnReading {
  struct Rule {
    double proven = 0;            // burn that the evidence proves, over the rule's time
    double still = 0;             // burn over its shorter time, as counted
    std::int64_t n = 0, bad = 0;  // over the rule's time
  };
  std::string service, slo, event;  // event empty: of everybody
  std::vector<Rule> rules;          // as in SloSpec::burn
  BurnProof proof;                  // of a burn above SloSpec::page_above
  double needed = 0;                // the evidence that a page needs; 0: nobody is called by proof
  std::int64_t players_at_risk = 0;
  bool seen = false;  // there was evidence in the last minutes: silence is no calm
};
struct BurnObserved {
  BurnReading reading;
};
struct DeliveryReported {
  std::string alert, route;
  std::int64_t change = 0;
  DeliveryOutcome outcome = DeliveryOutcome::Delivered;
  std::int64_t attempts = 0;
  std::string detail;
};
// What was measured of a service; dependencies are the engine's own to know.
struct ServiceObserved {
  std::string service;
  std::vector<StressSign> signs;
};
// The server's own calls to a service.
struct BreakerObserved {
  std::string service;
  BreakerState state = BreakerState::Closed;
  std::int64_t calls = 0, failures = 0;
  std::string reason;
};
struct ClockObserved {
  Duration offset{};  // the wall clock less engine time
};
struct ServerBooted {
  std::string version;
  Duration down{};    // engine time since the last record
  Duration offset{};  // the wall clock less engine time
};
struct TimePassed {};  // deadlines may be due

using Input =
    std::variant<Command, FleetObserved, GateLooked, StepReported, ReadinessObserved, DrillDue,
                 DrillOver, ServiceObserved, BreakerObserved, TotalsObserved, LedgerObserved,
                 BurnObserved, DeliveryReported, ClockObserved, ServerBooted, TimePassed>;

}  // namespace showcaller
