// SPDX-License-Identifier: Apache-2.0
#include "match.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace arena {
namespace {

constexpr double kSide = 100;  // metres
constexpr double kSpeed = 12;  // metres a second
constexpr double kStep = 1.0 / kTicksPerSecond;
constexpr double kRange = 40;
constexpr double kHitWidth = 1.5;
constexpr int kDamage = 20;
constexpr int kDownTicks = 2 * kTicksPerSecond;
constexpr int kReloadTicks = kTicksPerSecond / 5;

std::uint16_t centimetres(double metres) {
  return std::uint16_t(std::clamp(metres * 100, 0.0, 65535.0));
}

}  // namespace

int Match::join(const std::string& player) {
  const auto known = std::ranges::find(ids_, player);
  const int slot = int(known - ids_.begin());
  if (known != ids_.end()) {
    fighters_[std::size_t(slot)].here = true;
    return slot;
  }
  if (ids_.size() >= std::size_t(kPlayersMax)) return -1;
  ids_.push_back(player);
  fighters_.emplace_back();
  place(&fighters_.back());
  return slot;
}

void Match::leave(int slot) {
  fighters_[std::size_t(slot)].here = false;
}

void Match::set_input(int slot, const Input& input) {
  fighters_[std::size_t(slot)].input = input;
}

void Match::place(Fighter* fighter) {
  fighter->x = random_.uniform() * kSide;
  fighter->y = random_.uniform() * kSide;
  fighter->health = 100;
}

void Match::run(Fighter* fighter) {
  const double length = std::hypot(fighter->input.move_x, fighter->input.move_y);
  const double scale = length > 127 ? kSpeed / length : kSpeed / 127;
  fighter->speed_x = fighter->input.move_x * scale;
  fighter->speed_y = fighter->input.move_y * scale;
  const double to_middle_x = kSide / 2 - fighter->x;
  const double to_middle_y = kSide / 2 - fighter->y;
  const double far = std::max(std::hypot(to_middle_x, to_middle_y), 1.0);
  fighter->speed_x += to_middle_x / far * rules_.gravity;
  fighter->speed_y += to_middle_y / far * rules_.gravity;
  fighter->x = std::clamp(fighter->x + fighter->speed_x * kStep, 0.0, kSide);
  fighter->y = std::clamp(fighter->y + fighter->speed_y * kStep, 0.0, kSide);
}

void Match::shoot(Fighter* fighter) {
  if (!fighter->input.fire || fighter->reload_ticks > 0) return;
  fighter->reload_ticks = kReloadTicks;
  ++shots_;
  const double angle = fighter->input.aim / 65536.0 * 2 * std::numbers::pi;
  const double aim_x = std::cos(angle);
  const double aim_y = std::sin(angle);
  Fighter* hit = nullptr;
  double nearest = kRange;
  for (Fighter& other : fighters_) {
    if (&other == fighter || !other.here || other.down_ticks > 0) continue;
    const double along = (other.x - fighter->x) * aim_x + (other.y - fighter->y) * aim_y;
    const double beside = std::abs((other.x - fighter->x) * aim_y - (other.y - fighter->y) * aim_x);
    if (along <= 0 || along >= nearest || beside > kHitWidth) continue;
    nearest = along;
    hit = &other;
  }
  if (!hit) return;
  hit->health -= kDamage;
  if (hit->health > 0) return;
  ++falls_;
  fighter->score += rules_.double_score ? 2 : 1;
  hit->down_ticks = kDownTicks;
}

void Match::step() {
  ++tick_;
  for (Fighter& fighter : fighters_) {
    if (!fighter.here) continue;
    if (fighter.down_ticks > 0) {
      if (--fighter.down_ticks == 0) place(&fighter);
      continue;
    }
    fighter.reload_ticks = std::max(fighter.reload_ticks - 1, 0);
    run(&fighter);
    shoot(&fighter);
  }
}

Snapshot Match::snapshot() const {
  Snapshot out{.tick = tick_};
  for (const Fighter& fighter : fighters_) {
    out.players.push_back(
        {.x = centimetres(fighter.x),
         .y = centimetres(fighter.y),
         .health = std::uint8_t(fighter.down_ticks > 0 ? 0 : std::clamp(fighter.health, 0, 100)),
         .score = std::uint16_t(fighter.score)});
  }
  return out;
}

End Match::end() const {
  End out;
  for (const Fighter& fighter : fighters_) out.scores.push_back(std::uint16_t(fighter.score));
  return out;
}

}  // namespace arena
