// SPDX-License-Identifier: Apache-2.0
// The players of a rehearsal: they come by the population's hours, in parties that keep their id
// for life, play sessions of random length on the virtual fleet, suffer from what goes wrong, and
// some leave for it. Where they are put, and how what happens to them reaches the host, is the
// level's (Seating). Threads: none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compute/allocation.h"
#include "sim/truth.h"
#include "sim/virtual_fleet.h"

namespace showcaller::sim {

// A session that runs.
struct Playing {
  std::string id, fleet, instance, region;
  std::uint64_t party = 0;
  std::vector<ArmAssignment> arms;       // of builds, as the allocation said
  std::vector<ArmAssignment> flag_arms;  // of events that change no build
  bool canary = false;                   // on the event's canary
  Duration begins{}, ends{}, crashes = Duration::max();
};

struct Seat {
  std::string instance, build;
  std::vector<ArmAssignment> arms;
};

// One level of a rehearsal: how sessions get their places, and their fates to the host.
class Seating {
 public:
  virtual ~Seating() = default;
  // A session that ought to ask for a place and does not: a broken split.
  virtual bool never_asks(const AllocationRequest& request, Random* random) = 0;
  // Absent: no place now.
  virtual std::optional<Seat> seat(const AllocationRequest& request) = 0;
  virtual void ended(const Playing& session, bool crashed) = 0;
};

// Where sessions are asked for: a fleet, and the share of a region's players who play on it.
struct FleetDoor {
  std::string fleet;
  std::size_t region = 0;  // of the population's
  double share = 1;
};

// What came of the players, for the report. Of players who came together the party is known and
// counted once; who else plays with them is somebody new each time.
struct CrowdCounts {
  std::int64_t sessions = 0, refused = 0, crashed = 0;
  std::int64_t canary_sessions = 0;
  double player_s = 0, canary_player_s = 0;
  double harm_player_s = 0;         // on the canary, while a fault acted that players suffer from
  std::int64_t canary_players = 0;  // different ones, let in
  std::int64_t harmed_players = 0;  // on the canary under such a fault, in the run
  std::int64_t stage_harmed_players = 0;         // the same, in the present stage
  std::int64_t playing = 0, playing_canary = 0;  // players now
};

class Crowd {
 public:
  // `event`: whose canary is told of.
  Crowd(Truth* truth, VirtualFleet* fleet, std::string event, std::uint64_t seed);

  // Sessions that were to end or crash do; then new ones come through the doors. `flag_arms_of`
  // gives the arms of a session on events that change no build.
  using FlagArmsOf = std::function<std::vector<ArmAssignment>(const AllocationRequest&)>;
  struct Step {
    Duration from{}, to{};
    Instant wall{};
    std::optional<Duration> since_open;
    std::vector<FleetDoor> doors;
    FlagArmsOf flag_arms_of;
    std::function<void(const Playing&)> begun;  // told of each session that got a place
  };
  void step(const Step& step, Seating* seating);
  // Whom a fault harms is counted anew for each stage.
  void begin_stage();

  const CrowdCounts& counts() const { return counts_; }

 private:
  void end_due(Duration now, Seating* seating);
  void arrive(const Step& step, const FleetDoor& door, Seating* seating);
  void end(const std::string& id, Duration now, Seating* seating);
  void begin(const Step& step, AllocationRequest request, std::uint64_t party, Seating* seating);
  AllocationRequest request_of(const std::string& fleet, const RegionCrowd& region,
                               std::uint64_t party);
  bool is_away(std::uint64_t party, Duration now) const;
  void count_time(Duration passed);
  void note_harm(const Playing& session);
  std::int64_t newly_harmed(const Playing& session, std::set<std::uint64_t>* parties) const;

  Truth* truth_;
  VirtualFleet* fleet_;
  Random random_;
  std::map<std::string, Playing> sessions_;
  std::set<std::pair<Duration, std::string>> due_;
  std::map<std::uint64_t, Duration> away_until_;
  std::string event_;                                       // whose canary counts
  std::set<std::uint64_t> let_in_, harmed_, stage_harmed_;  // parties
  bool was_harmful_ = false;
  CrowdCounts counts_;
  std::uint64_t next_session_ = 1;
};

}  // namespace showcaller::sim
