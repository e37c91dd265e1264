// SPDX-License-Identifier: Apache-2.0
// The two levels of a rehearsal: how sessions get their places, and how what happened in them
// reaches the host. The players (crowd.h), the truth and the fleet are the same at both.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "compute/allocation.h"
#include "host/host.h"
#include "sim/assigner.h"
#include "sim/running_sessions.h"
#include "sim/virtual_fleet.h"

namespace showcaller::sim {

// Where sessions are asked for: a fleet, and the share of a region's players who play on it.
struct FleetDoor {
  std::string fleet;       // empty: the game's servers are not ours
  std::size_t region = 0;  // of the population's
  double share = 1;
};

// A party that comes to play.
struct Visit {
  const FleetDoor& door;
  std::size_t door_index = 0;
  std::uint64_t party = 0;    // of the region's
  std::uint64_t session = 0;  // the session that it would begin
};

// Those who come through a door in a step.
struct Arrivals {
  const FleetDoor& door;
  std::size_t door_index = 0;
  std::span<const std::uint32_t> parties;
  std::uint64_t first_session = 0;  // the numbers of the others follow it

  std::size_t size() const { return parties.size(); }
  Visit visit(std::size_t i) const { return {door, door_index, parties[i], first_session + i}; }
};

enum class SeatState : std::uint8_t {
  Refused,  // no place now
  Taken,
  NotAskedFor,  // a broken split: it ought to ask for a place, and does not
};

struct Seat {
  VirtualInstance* instance = nullptr;  // null: not on servers of ours
  std::uint16_t kind = 0;               // the level's own
  SeatState state = SeatState::Refused;
  bool canary = false;  // on the canary of the event whose story it is
};

std::string party_id(const Population& population, std::size_t region, std::uint64_t party);
// What the game's back end asks for it.
AllocationRequest request_of(const Population& population, const Visit& visit);

// The same for many, each good until the next: players of one kind share what is told of them.
class Requests {
 public:
  const AllocationRequest& of(const Population& population, const Visit& visit);

 private:
  std::map<std::uint64_t, AllocationRequest> by_kind_;
};

class Level {
 public:
  virtual ~Level() = default;
  // The host is there, for the first time or again.
  virtual void open(Host* host, const Assigner* assigner) = 0;
  // Before and after the players of a step.
  virtual void begin_step(Duration now) = 0;
  virtual void end_step(Duration now) = 0;
  // A seat for each of them, in their order.
  virtual void seat(const Arrivals& arrivals, std::span<Seat> seats) = 0;
  // Those that are over in a step.
  virtual void ended(std::span<const Playing> sessions) = 0;
  // Counts that reach the gates without the host's intake; null: they do not.
  virtual StageCounts* counts() { return nullptr; }
};

}  // namespace showcaller::sim
