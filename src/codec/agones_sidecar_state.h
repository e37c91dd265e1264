// SPDX-License-Identifier: Apache-2.0
// What the sidecar of one game server knows, and the rules by which it changes. Pure: time comes in
// as a value.
//
//            Ready()            Assign (the allocator)        Ready()
// Scheduled ─────────► Ready ─────────────────────► Allocated ───────► Ready
//                       ▲  │ Reserve(n s)             Shutdown() from anywhere, for good
//              time over│  ▼                          Unhealthy from anywhere but Shutdown, until
//              Shutdown
//                      Reserved
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "codec/agones_game_server.h"
#include "codec/agones_sdk.h"

namespace showcaller::agones {

inline constexpr std::string_view kSessionAnnotation = "showcaller.dev/session";
// All sessions, separated by commas, on a game server that runs several at once.
inline constexpr std::string_view kAllSessionsAnnotation = "showcaller.dev/sessions";
// Sessions given to it before that are over, as far as whoever gives it a session knows.
inline constexpr std::string_view kOverSessionsAnnotation = "showcaller.dev/sessions-over";
// The game server's own labels and annotations carry it, as Agones does it.
inline constexpr std::string_view kSdkPrefix = "agones.dev/sdk-";
inline constexpr std::int64_t kListCapacityMax = 1000;
// Bounds of labels and annotations, which go out whole with every report and watch line. The bytes
// are those of all keys and values together: Kubernetes's own bound for annotations.
inline constexpr std::size_t kMetadataEntriesMax = 1024;
inline constexpr std::size_t kMetadataBytesMax = 256 << 10;
// Of the values of all lists and the ids of players together, which go out as often.
inline constexpr std::size_t kValuesBytesMax = 256 << 10;
// When a session was given to it last, as Agones's own allocator tells it.
inline constexpr std::string_view kLastAllocatedAnnotation = "agones.dev/last-allocated";

enum class SidecarPhase { Scheduled, Ready, Reserved, Allocated, Unhealthy, Shutdown };
std::string_view to_string(SidecarPhase phase);  // as Agones spells it: "Scheduled", …

struct SidecarRules {
  Duration start_timeout{0};  // from start to Ready; 0: none
  Duration health_period{0};  // 0: health is not watched
  int health_failures = 3;
  // At a developer's desk any call leads anywhere, as with Agones's local server.
  bool lenient = false;
};

class SidecarState {
 public:
  SidecarState(GameServer game_server, SidecarRules rules, SidecarPhase phase, Instant now);

  SdkResult apply(const SdkCall& call, Instant now);

  // A session was given to this game server. Giving the same session again changes nothing but its
  // labels and annotations. Conflict unless it is Ready, or has that session, or the new one comes
  // beside the one it has (its annotation of all sessions names both) or after it (the annotation
  // of those that are over names it).
  Status assign(std::string_view session, const std::map<std::string, std::string>& labels,
                const std::map<std::string, std::string>& annotations, Instant now);
  // At a desk: the game server as its file has it now.
  void replace(GameServer game_server);
  // Who looked from outside found it sick.
  void sick(Instant now);
  // It was told to end from outside.
  void shut_down(Instant now);

  // When tick() has something to do; none: nothing is awaited.
  std::optional<Instant> deadline() const;
  // Missed pings, a start that took too long, a reservation that is over.
  void tick(Instant now);

  const GameServer& game_server() const { return game_server_; }
  SidecarPhase phase() const { return phase_; }
  bool was_ready() const { return was_ready_; }
  std::int64_t sessions_ended() const { return sessions_ended_; }
  std::optional<std::string> session() const;  // while Allocated by assign()
  std::int64_t player_count() const;
  std::int64_t player_capacity() const;
  // Grows with every change that a watcher would see.
  std::uint64_t version() const { return version_; }

 private:
  enum class Input { Ready, Reserve, Allocate, Assign, Sick, ReserveOver, Shutdown };
  void move(Input input, Instant now);
  void changed();
  void forget_allocation();
  SdkResult set_metadata(std::map<std::string, std::string>* entries, const std::string& key,
                         const std::string& value);
  Players& players();
  // Whether so many bytes of values fit once those that are replaced are gone.
  std::expected<void, SdkError> check_values(std::size_t added, std::size_t replaced) const;

  SdkResult on(const ReadyCall&, Instant now);
  SdkResult on(const AllocateCall&, Instant now);
  SdkResult on(const ShutdownCall&, Instant now);
  SdkResult on(const HealthCall&, Instant now);
  SdkResult on(const ReserveCall& call, Instant now);
  SdkResult on(const SetLabelCall& call, Instant now);
  SdkResult on(const SetAnnotationCall& call, Instant now);
  SdkResult on(const GetGameServerCall&, Instant now);
  SdkResult on(const GetCounterCall& call, Instant now);
  SdkResult on(const UpdateCounterCall& call, Instant now);
  SdkResult on(const GetListCall& call, Instant now);
  SdkResult on(const UpdateListCall& call, Instant now);
  SdkResult on(const AddListValueCall& call, Instant now);
  SdkResult on(const RemoveListValueCall& call, Instant now);
  SdkResult on(const PlayerConnectCall& call, Instant now);
  SdkResult on(const PlayerDisconnectCall& call, Instant now);
  SdkResult on(const SetPlayerCapacityCall& call, Instant now);
  SdkResult on(const GetPlayerCapacityCall&, Instant now);
  SdkResult on(const GetPlayerCountCall&, Instant now);
  SdkResult on(const IsPlayerConnectedCall& call, Instant now);
  SdkResult on(const GetConnectedPlayersCall&, Instant now);

  GameServer game_server_;
  SidecarRules rules_;
  SidecarPhase phase_;
  Instant started_;
  Instant pinged_;
  std::optional<Instant> reserved_until_;
  bool was_ready_ = false;
  std::int64_t sessions_ended_ = 0;
  std::uint64_t version_ = 1;
  std::set<std::string> allocation_labels_;  // came with the session, go with it
  std::set<std::string> allocation_annotations_;
};

}  // namespace showcaller::agones
