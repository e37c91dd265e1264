// SPDX-License-Identifier: Apache-2.0
#include "codec/agones_sdk.h"

#include <array>

#include <fmt/format.h>

namespace showcaller::agones {
namespace {

constexpr std::array<std::string_view, 21> kCallNames{"Ready",
                                                      "Allocate",
                                                      "Shutdown",
                                                      "Health",
                                                      "Reserve",
                                                      "SetLabel",
                                                      "SetAnnotation",
                                                      "GetGameServer",
                                                      "GetCounter",
                                                      "UpdateCounter",
                                                      "GetList",
                                                      "UpdateList",
                                                      "AddListValue",
                                                      "RemoveListValue",
                                                      "PlayerConnect",
                                                      "PlayerDisconnect",
                                                      "SetPlayerCapacity",
                                                      "GetPlayerCapacity",
                                                      "GetPlayerCount",
                                                      "IsPlayerConnected",
                                                      "GetConnectedPlayers"};
static_assert(kCallNames.size() == std::variant_size_v<SdkCall>);

std::string arguments(const UpdateCounterCall& call) {
  std::string out = call.name;
  if (call.count) out += fmt::format(", count={}", *call.count);
  if (call.capacity) out += fmt::format(", capacity={}", *call.capacity);
  if (call.diff != 0) out += fmt::format(", countDiff={:+}", call.diff);
  return out;
}

template <class T>
std::string arguments(const T& call) {
  if constexpr (requires { call.seconds; })
    return fmt::format("{}s", call.seconds);
  else if constexpr (requires { call.key; })
    return fmt::format("{}={}", call.key, call.value);
  else if constexpr (requires { call.value; })
    return fmt::format("{}, {}", call.name, call.value);
  else if constexpr (requires { call.name; })
    return call.name;
  else if constexpr (requires { call.player; })
    return call.player;
  else if constexpr (requires { call.capacity; })
    return fmt::format("{}", call.capacity);
  else
    return "";
}

}  // namespace

std::string_view call_name(const SdkCall& call) {
  return kCallNames[call.index()];
}

std::string describe(const SdkCall& call) {
  return fmt::format("{}({})", call_name(call),
                     std::visit([](const auto& one) { return arguments(one); }, call));
}

GameServer local_game_server(std::int64_t creation_timestamp) {
  GameServer local;
  local.name = "local";
  local.name_space = "default";
  local.uid = "1234";
  local.resource_version = "v1";
  local.generation = 1;
  local.creation_timestamp = creation_timestamp;
  local.labels = {{"islocal", "true"}};
  local.annotations = {{"annotation", "true"}};
  local.health = {
      .disabled = false, .period_seconds = 3, .failure_threshold = 5, .initial_delay_seconds = 10};
  local.state = "Ready";
  local.address = "127.0.0.1";
  local.ports = {{"default", 7777}};
  local.players = Players{};
  local.counters = {{"rooms", {1, 10}}};
  local.lists = {{"players", {100, {"test0", "test1", "test2"}}}};
  return local;
}

}  // namespace showcaller::agones
