// SPDX-License-Identifier: Apache-2.0
// The calls of the Agones SDK as values, whichever way they came (gRPC or REST), and what answers
// them.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "codec/agones_game_server.h"

namespace showcaller::agones {

struct ReadyCall {};
struct AllocateCall {};
struct ShutdownCall {};
struct HealthCall {};
struct ReserveCall {
  std::int64_t seconds = 0;  // 0: until another call
};
struct SetLabelCall {
  std::string key;
  std::string value;
};
struct SetAnnotationCall {
  std::string key;
  std::string value;
};
struct GetGameServerCall {};

struct GetCounterCall {
  std::string name;
};
struct UpdateCounterCall {
  std::string name;
  std::optional<std::int64_t> count;
  std::optional<std::int64_t> capacity;
  std::int64_t diff = 0;
};
struct GetListCall {
  std::string name;
};
struct UpdateListCall {
  std::string name;
  std::int64_t capacity = 0;
  std::vector<std::string> values;
  std::vector<std::string>
      mask;  // of "capacity" and "values": which of the two to write; empty: those not zero
};
struct AddListValueCall {
  std::string name;
  std::string value;
};
struct RemoveListValueCall {
  std::string name;
  std::string value;
};

struct PlayerConnectCall {
  std::string player;
};
struct PlayerDisconnectCall {
  std::string player;
};
struct SetPlayerCapacityCall {
  std::int64_t capacity = 0;
};
struct GetPlayerCapacityCall {};
struct GetPlayerCountCall {};
struct IsPlayerConnectedCall {
  std::string player;
};
struct GetConnectedPlayersCall {};

using SdkCall = std::variant<ReadyCall, AllocateCall, ShutdownCall, HealthCall, ReserveCall,
                             SetLabelCall, SetAnnotationCall, GetGameServerCall, GetCounterCall,
                             UpdateCounterCall, GetListCall, UpdateListCall, AddListValueCall,
                             RemoveListValueCall, PlayerConnectCall, PlayerDisconnectCall,
                             SetPlayerCapacityCall, GetPlayerCapacityCall, GetPlayerCountCall,
                             IsPlayerConnectedCall, GetConnectedPlayersCall>;
// "Ready", "SetLabel", …
std::string_view call_name(const SdkCall& call);
// The name with its arguments, for a log: "SetLabel(map=ice)".
std::string describe(const SdkCall& call);

struct EmptyReply {};
struct CounterReply {
  std::string name;
  Counter counter;
};
struct ListReply {
  std::string name;
  List list;
};
struct BoolReply {
  bool value = false;
};
struct CountReply {
  std::int64_t count = 0;
};
struct PlayerIdsReply {
  std::vector<std::string> ids;
};
using SdkReply = std::variant<EmptyReply, GameServer, CounterReply, ListReply, BoolReply,
                              CountReply, PlayerIdsReply>;

// The canonical status codes of gRPC that the SDK uses. On the wire. Never renumber.
enum class SdkCode {
  Unknown = 2,
  InvalidArgument = 3,
  NotFound = 5,
  AlreadyExists = 6,
  FailedPrecondition = 9,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13
};

struct SdkError {
  SdkCode code = SdkCode::Unknown;
  std::string message;
  friend bool operator==(const SdkError&, const SdkError&) = default;
};

using SdkResult = std::expected<SdkReply, SdkError>;

// What answers the calls of one game server. Whoever implements it says that its functions may be
// called by any thread; a watcher is called with no lock held, by the thread that made the change,
// and must not block.
class SidecarBackend {
 public:
  using Watcher = std::function<void(const GameServer&)>;

  virtual ~SidecarBackend() = default;
  virtual SdkResult call(const SdkCall& call) = 0;
  // Calls the watcher at once with the present game server, then after every change.
  virtual std::uint64_t watch(Watcher watcher) = 0;
  // After it returned the watcher is not called again.
  virtual void unwatch(std::uint64_t id) = 0;
};

}  // namespace showcaller::agones
