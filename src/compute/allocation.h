// SPDX-License-Identifier: Apache-2.0
// What is asked of the allocator and what it answers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "compute/port/fleet_driver.h"
#include "model/arm_assignment.h"

namespace showcaller {

struct AllocationPlayer {
  std::string id;
  json::object context;  // what audiences are judged on: {"account": {"group": "staff"}, …}
};

// One new session: a match that was formed, with all who will play it. They stay together.
struct AllocationRequest {
  std::string session;  // its id; the same id gets the same answer
  std::string fleet;
  std::string party;  // an id the party keeps for life; empty: the first player's id
  std::string guild;  // empty: events whose unit is the guild do not admit the session
  std::vector<AllocationPlayer> players;
  std::string region;  // preferred; empty: by latency
  std::map<std::string, std::int64_t>
      latency_ms;        // by region; the others are not considered when given
  int protocol = 0;      // that all clients speak; 0: not told, any build will do
  json::object context;  // of the session; players' own attributes win
  // W3C trace context of whoever asked; his game server is told. Empty: none.
  std::string traceparent{}, tracestate{};
};

struct Allocation {
  std::string session, fleet, instance, build, region, host, address;
  std::vector<int> ports;
  std::string unit_party;  // the party's id as it was bucketed; flags must be asked with the same
  std::vector<ArmAssignment>
      arms;  // one an event with a build on this fleet that concerns the session
  Instant at{};
  Instant claim_by{};     // afterwards the place may be given to others
  bool repeated = false;  // the session was known: nothing new happened
};

// What else its instance has, or goes on showing.
struct NeighbourSessions {
  std::vector<std::string> running, over;
};
// What the driver tells the instance's sidecar.
AllocateInstance to_driver(const Allocation& allocation, const NeighbourSessions& neighbours = {});
inline const std::string kArmsAnnotation = "showcaller.dev/arms";
inline const std::string kSessionsAnnotation = "showcaller.dev/sessions";
// For the game server to go on with the trace of the session's allocation.
inline constexpr std::string_view kTraceparentAnnotation = "showcaller.dev/traceparent";
inline constexpr std::string_view kTracestateAnnotation = "showcaller.dev/tracestate";
inline constexpr std::string_view kSessionsOverAnnotation = "showcaller.dev/sessions-over";

// A player who was given the canary: a row for the ledger.
struct ExposureRow {
  std::string event;
  std::int64_t revision = 0, visit = 0;
  std::string player, session, fleet, region;
  Instant at{};
};

// Of one stage visit, since it was entered.
struct StageTotals {
  std::string event;
  std::int64_t revision = 0, visit = 0;
  std::int64_t canary = 0, baseline = 0;  // sessions that the stage drew and that found a place
  std::int64_t spilled = 0;               // drawn for the canary, played on the baseline
  std::int64_t refused = 0;  // answers "no place now", which a client may have repeated
  friend bool operator==(const StageTotals&, const StageTotals&) = default;
};

}  // namespace showcaller
