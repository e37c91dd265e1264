// SPDX-License-Identifier: Apache-2.0
// The players of a rehearsal: they come by the population's hours, in parties that keep their id
// for life, play sessions of random length on the virtual fleet, suffer from what goes wrong, and
// some leave for it. Where they are put, and how what happens to them reaches the host, is the
// level's (level.h).
//
// A step goes phase by phase over rows: all that end, all that come, all that get a place. So what
// they ask of memory is asked side by side, and not one after the other. Threads: none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/level.h"
#include "sim/running_sessions.h"
#include "sim/truth.h"

namespace showcaller::sim {

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

// Parties of all regions, each in or not.
class PartySet {
 public:
  // Whether it is new.
  bool insert(std::size_t region, std::uint64_t party);
  bool contains(std::size_t region, std::uint64_t party) const {
    return region < regions_.size() && party < regions_[region].size() && regions_[region][party];
  }
  void clear() { regions_.clear(); }

 private:
  std::vector<std::vector<bool>> regions_;
};

class Crowd {
 public:
  Crowd(Truth* truth, VirtualFleet* fleet, std::uint64_t seed);

  // Sessions that were to end or crash do; then new ones come through the doors.
  struct Step {
    Duration from{}, to{};
    Instant wall{};
    std::optional<Duration> since_open;
    const std::vector<FleetDoor>& doors;
  };
  void step(const Step& step, Level* level);
  // Whom a fault harms is counted anew for each stage.
  void begin_stage();

  const CrowdCounts& counts() const { return counts_; }

 private:
  void end_due(Duration now, Level* level);
  void end_lost(Duration now, Level* level);
  void end(Playing* session, Duration now);
  void arrive(const Step& step, std::size_t door, Level* level);
  void draw_parties(const Step& step, std::size_t door);
  void refuse_beyond(const Step& step, const FleetDoor& door);
  Playing begin(const Step& step, const Visit& visit, const Seat& seat);
  double alone_crash_rate(const VirtualInstance* instance, bool canary, Duration now);
  void send_away(const Playing& session, Duration now);
  bool is_away(std::size_t region, std::uint64_t party, Duration now) const;
  void count_time(Duration passed);
  void note_harm(const Playing& session);
  std::int64_t newly_harmed(const Playing& session, PartySet* parties) const;

  Truth* truth_;
  VirtualFleet* fleet_;
  Random random_;
  RunningSessions running_;
  // Rows of a step, kept for their memory.
  std::vector<Playing> over_, begun_;
  std::vector<std::uint32_t> parties_;
  std::vector<Seat> seats_;
  using RegionParty = std::pair<std::size_t, std::uint64_t>;
  std::map<RegionParty, Duration> away_until_;
  std::deque<std::pair<Duration, RegionParty>> away_;  // in the order of their return
  PartySet let_in_, harmed_, stage_harmed_;
  PartySet ever_away_;  // most never were
  bool was_harmful_ = false;
  CrowdCounts counts_;
  std::uint64_t last_session_ = 0;
};

}  // namespace showcaller::sim
