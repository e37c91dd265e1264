// SPDX-License-Identifier: Apache-2.0
// One match in the arena: players run, aim, shoot, fall and come back; the server alone decides. 30
// steps a second. Deterministic: the same seed and inputs give the same match.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "packets.h"

namespace arena {

inline constexpr int kTicksPerSecond = 30;
inline constexpr int kPlayersMax = 16;

struct MatchRules {
  bool double_score = false;
  double gravity = 0;  // pull towards the middle, metres a second squared
};

class Match {
 public:
  Match(std::uint64_t seed, MatchRules rules) : random_(seed), rules_(rules) {}

  // The slot of a player, an old one's or a new one; -1: full.
  int join(const std::string& player);
  void leave(int slot);
  void set_input(int slot, const Input& input);
  void step();

  Snapshot snapshot() const;
  End end() const;
  std::uint32_t tick() const { return tick_; }
  int shots() const { return shots_; }
  int falls() const { return falls_; }
  const std::vector<std::string>& players() const { return ids_; }

 private:
  struct Fighter {
    double x = 0, y = 0;
    double speed_x = 0, speed_y = 0;
    int health = 100;
    int score = 0;
    int down_ticks = 0;  // until it comes back
    int reload_ticks = 0;
    bool here = true;
    Input input;
  };
  void place(Fighter* fighter);
  void run(Fighter* fighter);
  void shoot(Fighter* fighter);

  showcaller::Random random_;
  MatchRules rules_;
  std::uint32_t tick_ = 0;
  int shots_ = 0;
  int falls_ = 0;
  std::vector<std::string> ids_;
  std::vector<Fighter> fighters_;
};

}  // namespace arena
