// SPDX-License-Identifier: Apache-2.0
// A party of bots: two to four players who stay together, ask for a session, play it over UDP and
// come again.
//
// They know what a player's client knows: whether they were let in, whether the match goes on,
// whether it went silent.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "allocation_client.h"
#include "base/random.h"
#include "packets.h"

namespace arena {

struct BotTotals {
  std::int64_t sessions = 0;    // let in
  std::int64_t completed = 0;   // played to the end
  std::int64_t lost = 0;        // went silent, or the server was gone
  std::int64_t not_joined = 0;  // allocated, but nobody answered there
  std::int64_t refused = 0;     // answers "no place now"
  std::int64_t errors = 0;      // no answer, or one that makes no sense
  std::int64_t snapshots = 0;
};

struct BotRules {
  std::string fleet;
  std::string region;
  int protocol = 47;
  double silence_seconds = 2.5;  // without a snapshot: the match is lost
  double join_seconds = 3;
  double inputs_per_second = 10;
};

class BotParty {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Stage { Idle, Asking, Joining, Playing };

  struct Player {
    std::string id;
    std::string group;  // may be empty
    int fd = -1;
    bool welcomed = false;
  };

  BotParty(std::string id, std::vector<Player> players, const BotRules* rules, BotTotals* totals,
           std::uint64_t seed);
  ~BotParty();
  BotParty(const BotParty&) = delete;
  BotParty& operator=(const BotParty&) = delete;

  Stage stage() const { return stage_; }
  bool wants_session(Clock::time_point now) const {
    return stage_ == Stage::Idle && now >= idle_until_;
  }
  void ask(AllocationClient* client);
  // Reads what came on a player's socket.
  void receive(std::size_t player, Clock::time_point now);
  // Sends inputs, joins again, notices silence.
  void turn(Clock::time_point now);

  const std::vector<Player>& players() const { return players_; }
  // Counts up whenever the sockets change.
  int generation() const { return generation_; }

 private:
  void answered(const AllocationAnswer& answer);
  void join(Clock::time_point now);
  void play(std::size_t player, Clock::time_point now);
  void end(std::int64_t BotTotals::* outcome, double rest_seconds);
  void send(std::size_t player, const Packet& packet);

  const std::string id_;
  std::vector<Player> players_;
  const BotRules* rules_;
  BotTotals* totals_;
  showcaller::Random random_;
  Stage stage_ = Stage::Idle;
  int generation_ = 0;
  std::int64_t sessions_asked_ = 0;
  std::string session_;
  Clock::time_point idle_until_{};
  Clock::time_point stage_began_{};
  Clock::time_point heard_{};
  Clock::time_point next_send_{};
  std::uint32_t tick_ = 0;
};

}  // namespace arena
