// SPDX-License-Identifier: Apache-2.0
// A game server as the Agones SDK shows it to the game server itself.
//
// Source: github.com/googleforgames/agones, proto/sdk/sdk.proto.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace showcaller::agones {

struct Counter {
  std::int64_t count = 0;
  std::int64_t capacity = 0;
  friend bool operator==(const Counter&, const Counter&) = default;
};

struct List {
  std::int64_t capacity = 0;
  std::vector<std::string> values;
  friend bool operator==(const List&, const List&) = default;
};

struct Players {
  std::int64_t capacity = 0;
  std::vector<std::string> ids;  // in the order of their coming
  friend bool operator==(const Players&, const Players&) = default;
};

struct Port {
  std::string name;
  int port = 0;
  friend bool operator==(const Port&, const Port&) = default;
};

struct Address {
  std::string type;
  std::string address;
  friend bool operator==(const Address&, const Address&) = default;
};

struct HealthSpec {
  bool disabled = false;
  std::int32_t period_seconds = 5;
  std::int32_t failure_threshold = 3;
  std::int32_t initial_delay_seconds = 5;
  friend bool operator==(const HealthSpec&, const HealthSpec&) = default;
};

struct GameServer {
  std::string name;
  std::string name_space;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::int64_t creation_timestamp = 0;  // seconds since 1970
  std::int64_t deletion_timestamp = 0;  // 0: not told to end
  std::map<std::string, std::string> annotations;
  std::map<std::string, std::string> labels;
  HealthSpec health;
  std::string state;
  std::string address;
  std::vector<Address> addresses;
  std::vector<Port> ports;
  std::optional<Players> players;
  std::map<std::string, Counter> counters;
  std::map<std::string, List> lists;
  friend bool operator==(const GameServer&, const GameServer&) = default;
};

// What Agones's own local server shows a developer at a desk.
GameServer local_game_server(std::int64_t creation_timestamp);

}  // namespace showcaller::agones
