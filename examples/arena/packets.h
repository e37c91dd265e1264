// SPDX-License-Identifier: Apache-2.0
// What arena clients and servers say to each other over UDP. Little endian; texts have a length
// byte before them.
//
//   packet   = "ARN1" kind:u8 body
//   Join     = protocol:u16 session:text player:text         client → server, again until welcomed
//   Welcome  = slot:u8                                       the client plays as this slot
//   Refuse   = reason:u8                                     why it does not (RefuseReason)
//   Input    = tick:u32 move_x:i8 move_y:i8 aim:u16 fire:u8  aim: 65536 steps a turn
//   Snapshot = tick:u32 count:u8 { x:u16 y:u16 health:u8 score:u16 }×count
//   End      = count:u8 { score:u16 }×count
//   Leave    =                                               client → server
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace arena {

enum class RefuseReason : std::uint8_t {
  WrongSession = 1,
  Full = 2,
  WrongProtocol = 3,
  NoMatch = 4
};

struct Join {
  std::uint16_t protocol = 0;
  std::string session;
  std::string player;
};
struct Welcome {
  std::uint8_t slot = 0;
};
struct Refuse {
  RefuseReason reason = RefuseReason::NoMatch;
};
struct Input {
  std::uint32_t tick = 0;
  std::int8_t move_x = 0;
  std::int8_t move_y = 0;
  std::uint16_t aim = 0;
  bool fire = false;
};
struct Snapshot {
  struct Player {
    std::uint16_t x = 0;
    std::uint16_t y = 0;
    std::uint8_t health = 0;
    std::uint16_t score = 0;
  };
  std::uint32_t tick = 0;
  std::vector<Player> players;
};
struct End {
  std::vector<std::uint16_t> scores;
};
struct Leave {};

using Packet = std::variant<Join, Welcome, Refuse, Input, Snapshot, End, Leave>;

std::string encode(const Packet& packet);
// Without a value: no packet of ours.
std::optional<Packet> decode(std::string_view bytes);

}  // namespace arena
