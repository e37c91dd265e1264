// SPDX-License-Identifier: Apache-2.0
// What a Drill says, typed: faults at their times, the responses that are expected of them, and
// what ends it early.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace showcaller {

// A fault of the simulator (docs/rehearse.md), or one that a server can do to its own staging
// fleet: `kill`, `pause`, and those of the network.
struct DrillFault {
  std::string kind;
  std::optional<double> size;   // absent: the usual one of its kind
  std::optional<double> share;  // of the instances, for those of the network
  std::string target;           // a region or host; empty: the first
};

struct DrillInject {
  std::string name;  // unique in the drill; default: the fault's kind
  Duration at{};     // since the drill began: in the simulator, since the first players are let in
  DrillFault fault;
  std::optional<Duration> lasts;  // absent: to the end
  bool optional = false;          // left out where the server's machine cannot do it
};

// What the engine, or the fleet, may do about it.
enum class DrillResponse {
  Hold,
  Rollback,
  StepBack,
  Pace,
  Divert,
  Quarantine,
  Page,
  Recovered,         // the event is undone, or live again
  CapacityRestored,  // as many instances serve as were wished for before the inject
};

struct DrillExpectation {
  DrillResponse that = DrillResponse::Hold;
  Duration within{};
  std::string after;  // an inject's name
};

// Any of them ends the drill.
struct DrillStop {
  std::optional<std::int64_t> headroom_below_ppm;
  std::optional<std::int64_t> players_harmed_over;
  std::optional<Duration> lasts_over;
};

struct DrillSpec {
  std::string event;        // whose story is played in the simulator
  std::string fleet;        // a staging fleet, for a drill on a server
  json::object population;  // who plays in the simulator; docs/rehearse.md
  std::vector<DrillInject> injects;
  std::vector<DrillExpectation> expect;
  std::vector<DrillStop> stop_when;
};

}  // namespace showcaller
