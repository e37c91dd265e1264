// SPDX-License-Identifier: Apache-2.0
#include "codec/agones_sidecar_state.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/check.h"

namespace showcaller::agones {
namespace {

constexpr std::array<std::string_view, 6> kPhaseNames{"Scheduled", "Ready",     "Reserved",
                                                      "Allocated", "Unhealthy", "Shutdown"};

using enum SidecarPhase;
// The phase after an input; the same phase: the input changes nothing.
constexpr SidecarPhase kNext[6][7] = {
    //              Ready      Reserve    Allocate   Assign     Sick       ReserveOver  Shutdown
    /* Scheduled */ {Ready, Reserved, Allocated, Scheduled, Unhealthy, Scheduled, Shutdown},
    /* Ready     */ {Ready, Reserved, Allocated, Allocated, Unhealthy, Ready, Shutdown},
    /* Reserved  */ {Ready, Reserved, Allocated, Reserved, Unhealthy, Ready, Shutdown},
    /* Allocated */ {Ready, Reserved, Allocated, Allocated, Unhealthy, Allocated, Shutdown},
    /* Unhealthy */ {Unhealthy, Unhealthy, Unhealthy, Unhealthy, Unhealthy, Unhealthy, Shutdown},
    /* Shutdown  */ {Shutdown, Shutdown, Shutdown, Shutdown, Shutdown, Shutdown, Shutdown},
};

std::unexpected<SdkError> refuse(SdkCode code, std::string message) {
  return std::unexpected(SdkError{code, std::move(message)});
}

std::size_t bytes_of(const std::map<std::string, std::string>& entries) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : entries) bytes += key.size() + value.size();
  return bytes;
}

std::size_t bytes_of(const std::vector<std::string>& values) {
  std::size_t bytes = 0;
  for (const std::string& value : values) bytes += value.size();
  return bytes;
}

std::unexpected<SdkError> no_counter(const std::string& name) {
  return refuse(SdkCode::NotFound, fmt::format("counter not found: {}", name));
}

std::unexpected<SdkError> no_list(const std::string& name) {
  return refuse(SdkCode::NotFound, fmt::format("list not found: {}", name));
}

bool names_session(const std::map<std::string, std::string>& annotations, std::string_view key,
                   std::string_view session) {
  const auto it = annotations.find(std::string(key));
  std::string_view rest = it == annotations.end() ? std::string_view() : it->second;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (rest.substr(0, comma) == session) return true;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return false;
}

std::unexpected<SdkError> count_out_of_range(std::int64_t count, std::int64_t capacity) {
  return refuse(
      SdkCode::OutOfRange,
      fmt::format("out of range. Count must be within range [0,Capacity]. Found Count: {}, "
                  "Capacity: {}",
                  count, capacity));
}

}  // namespace

std::string_view to_string(SidecarPhase phase) {
  return kPhaseNames[static_cast<std::size_t>(phase)];
}

SidecarState::SidecarState(GameServer game_server, SidecarRules rules, SidecarPhase phase,
                           Instant now)
    : game_server_(std::move(game_server)),
      rules_(rules),
      phase_(phase),
      started_(now),
      pinged_(now) {
  if (game_server_.state.empty()) game_server_.state = to_string(phase_);
}

SdkResult SidecarState::apply(const SdkCall& call, Instant now) {
  return std::visit([&](const auto& one) { return on(one, now); }, call);
}

void SidecarState::changed() {
  ++version_;
  game_server_.resource_version = fmt::format("{}", version_);
}

void SidecarState::forget_allocation() {
  for (const std::string& key : allocation_labels_) game_server_.labels.erase(key);
  for (const std::string& key : allocation_annotations_) game_server_.annotations.erase(key);
  allocation_labels_.clear();
  allocation_annotations_.clear();
}

void SidecarState::move(Input input, Instant now) {
  SidecarPhase next = kNext[static_cast<std::size_t>(phase_)][static_cast<std::size_t>(input)];
  if (rules_.lenient && next == phase_ && input != Input::ReserveOver) {
    constexpr std::array<SidecarPhase, 7> kWanted{Ready,     Reserved, Allocated, Allocated,
                                                  Unhealthy, Ready,    Shutdown};
    next = kWanted[static_cast<std::size_t>(input)];
  }
  if (input != Input::Reserve) reserved_until_.reset();
  if (next == phase_) {
    if (game_server_.state == to_string(phase_)) return;
  } else if (phase_ == Allocated && next != Unhealthy) {
    ++sessions_ended_;
    forget_allocation();
  }
  if (next == Ready) {
    was_ready_ = true;
    pinged_ = std::max(pinged_, now);
  }
  if (next == Shutdown) game_server_.deletion_timestamp = to_ms(now) / 1000;
  phase_ = next;
  game_server_.state = to_string(next);
  changed();
}

Status SidecarState::assign(std::string_view session,
                            const std::map<std::string, std::string>& labels,
                            const std::map<std::string, std::string>& annotations, Instant now) {
  const std::optional<std::string> present = this->session();
  const bool again = present && (*present == session ||
                                 names_session(annotations, kAllSessionsAnnotation, *present) ||
                                 names_session(annotations, kOverSessionsAnnotation, *present));
  if (phase_ != Ready && !again) {
    return fail(ErrorCode::Conflict,
                fmt::format("game server {} is {}, not Ready; give session {} to another",
                            game_server_.name, to_string(phase_), session));
  }
  move(Input::Assign, now);
  game_server_.annotations.erase(std::string(kOverSessionsAnnotation));
  for (const auto& [key, value] : labels) {
    if (game_server_.labels.insert_or_assign(key, value).second) allocation_labels_.insert(key);
  }
  for (const auto& [key, value] : annotations) {
    if (game_server_.annotations.insert_or_assign(key, value).second)
      allocation_annotations_.insert(key);
  }
  game_server_.annotations.insert_or_assign(std::string(kSessionAnnotation), std::string(session));
  allocation_annotations_.insert(std::string(kSessionAnnotation));
  if (present != session) {
    game_server_.annotations.insert_or_assign(std::string(kLastAllocatedAnnotation),
                                              format_instant(now));
  }
  changed();
  return {};
}

void SidecarState::replace(GameServer game_server) {
  game_server_ = std::move(game_server);
  changed();
}

void SidecarState::sick(Instant now) {
  move(Input::Sick, now);
}

void SidecarState::shut_down(Instant now) {
  move(Input::Shutdown, now);
}

std::optional<Instant> SidecarState::deadline() const {
  if (phase_ == Unhealthy || phase_ == Shutdown) return std::nullopt;
  std::optional<Instant> earliest = reserved_until_;
  const auto consider = [&](Instant at) {
    if (!earliest || at < *earliest) earliest = at;
  };
  if (phase_ == Scheduled) {
    if (rules_.start_timeout > Duration(0)) consider(started_ + rules_.start_timeout);
  } else if (rules_.health_period > Duration(0) && rules_.health_failures > 0) {
    consider(pinged_ + rules_.health_period * rules_.health_failures);
  }
  return earliest;
}

void SidecarState::tick(Instant now) {
  // A reservation that ends may start the wait for pings anew, so look again.
  for (int i = 0; i < 2; ++i) {
    const std::optional<Instant> at = deadline();
    if (!at || now < *at) return;
    move(reserved_until_ && *reserved_until_ <= now ? Input::ReserveOver : Input::Sick, now);
  }
}

std::optional<std::string> SidecarState::session() const {
  if (phase_ != Allocated) return std::nullopt;
  const auto it = game_server_.annotations.find(std::string(kSessionAnnotation));
  if (it == game_server_.annotations.end()) return std::nullopt;
  return it->second;
}

std::int64_t SidecarState::player_count() const {
  std::int64_t count = game_server_.players ? std::int64_t(game_server_.players->ids.size()) : 0;
  if (const auto it = game_server_.counters.find("players"); it != game_server_.counters.end()) {
    count = std::max(count, it->second.count);
  }
  if (const auto it = game_server_.lists.find("players"); it != game_server_.lists.end()) {
    count = std::max(count, std::int64_t(it->second.values.size()));
  }
  return count;
}

std::int64_t SidecarState::player_capacity() const {
  std::int64_t capacity = game_server_.players ? game_server_.players->capacity : 0;
  if (const auto it = game_server_.counters.find("players"); it != game_server_.counters.end()) {
    capacity = std::max(capacity, it->second.capacity);
  }
  if (const auto it = game_server_.lists.find("players"); it != game_server_.lists.end()) {
    capacity = std::max(capacity, it->second.capacity);
  }
  return capacity;
}

Players& SidecarState::players() {
  if (!game_server_.players) game_server_.players.emplace();
  return *game_server_.players;
}

SdkResult SidecarState::on(const ReadyCall&, Instant now) {
  move(Input::Ready, now);
  return EmptyReply{};
}

SdkResult SidecarState::on(const AllocateCall&, Instant now) {
  move(Input::Allocate, now);
  return EmptyReply{};
}

SdkResult SidecarState::on(const ShutdownCall&, Instant now) {
  move(Input::Shutdown, now);
  return EmptyReply{};
}

SdkResult SidecarState::on(const HealthCall&, Instant now) {
  pinged_ = std::max(pinged_, now);
  return EmptyReply{};
}

SdkResult SidecarState::on(const ReserveCall& call, Instant now) {
  if (call.seconds < 0 || call.seconds > 366LL * 86'400) {
    return refuse(SdkCode::InvalidArgument, "seconds must be between 0 and a year");
  }
  move(Input::Reserve, now);
  reserved_until_.reset();
  if (phase_ == Reserved && call.seconds > 0) reserved_until_ = now + seconds(call.seconds);
  return EmptyReply{};
}

SdkResult SidecarState::on(const SetLabelCall& call, Instant) {
  return set_metadata(&game_server_.labels, call.key, call.value);
}

SdkResult SidecarState::on(const SetAnnotationCall& call, Instant) {
  return set_metadata(&game_server_.annotations, call.key, call.value);
}

SdkResult SidecarState::set_metadata(std::map<std::string, std::string>* entries,
                                     const std::string& key, const std::string& value) {
  const std::string name = std::string(kSdkPrefix) + key;
  const auto known = entries->find(name);
  if (known == entries->end() && entries->size() >= kMetadataEntriesMax) {
    return refuse(SdkCode::OutOfRange,
                  fmt::format("a game server has at most {} labels and as many annotations; write "
                              "over those it has",
                              kMetadataEntriesMax));
  }
  const std::size_t replaced = known == entries->end() ? 0 : name.size() + known->second.size();
  const std::size_t bytes = bytes_of(game_server_.labels) + bytes_of(game_server_.annotations) -
                            replaced + name.size() + value.size();
  if (bytes > kMetadataBytesMax) {
    return refuse(SdkCode::OutOfRange,
                  fmt::format("labels and annotations would take {} bytes, and {} at most are "
                              "kept; write a shorter value for {}",
                              bytes, kMetadataBytesMax, key));
  }
  entries->insert_or_assign(name, value);
  changed();
  return EmptyReply{};
}

std::expected<void, SdkError> SidecarState::check_values(std::size_t added,
                                                         std::size_t replaced) const {
  std::size_t bytes = game_server_.players ? bytes_of(game_server_.players->ids) : 0;
  for (const auto& [name, list] : game_server_.lists) bytes += bytes_of(list.values);
  if (bytes - replaced + added <= kValuesBytesMax) return {};
  return refuse(SdkCode::OutOfRange,
                fmt::format("values of lists and ids of players would take {} bytes, and {} at "
                            "most are kept; keep shorter ones, or fewer",
                            bytes - replaced + added, kValuesBytesMax));
}

SdkResult SidecarState::on(const GetGameServerCall&, Instant) {
  return game_server_;
}

SdkResult SidecarState::on(const GetCounterCall& call, Instant) {
  const auto it = game_server_.counters.find(call.name);
  if (it == game_server_.counters.end()) return no_counter(call.name);
  return CounterReply{call.name, it->second};
}

SdkResult SidecarState::on(const UpdateCounterCall& call, Instant) {
  const auto it = game_server_.counters.find(call.name);
  if (it == game_server_.counters.end()) return no_counter(call.name);
  if (!call.count && !call.capacity && call.diff == 0) {
    return refuse(SdkCode::InvalidArgument,
                  "invalid argument. Set one of count, capacity or countDiff");
  }
  Counter next = it->second;
  if (call.capacity) next.capacity = *call.capacity;
  if (next.capacity < 0) {
    return refuse(
        SdkCode::OutOfRange,
        fmt::format("out of range. Capacity must be greater than or equal to 0. Found Capacity: {}",
                    next.capacity));
  }
  if (call.count) {
    next.count = *call.count;
    if (next.count < 0 || next.count > next.capacity)
      return count_out_of_range(next.count, next.capacity);
  }
  if (call.diff != 0) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(next.count, call.diff, &sum) || sum < 0 || sum > next.capacity) {
      return count_out_of_range(sum, next.capacity);
    }
    next.count = sum;
  }
  next.count =
      std::min(next.count, next.capacity);  // A smaller capacity cuts the count, as Agones does it.
  if (next != it->second) {
    it->second = next;
    changed();
  }
  return CounterReply{call.name, next};
}

SdkResult SidecarState::on(const GetListCall& call, Instant) {
  const auto it = game_server_.lists.find(call.name);
  if (it == game_server_.lists.end()) return no_list(call.name);
  return ListReply{call.name, it->second};
}

SdkResult SidecarState::on(const UpdateListCall& call, Instant) {
  const auto it = game_server_.lists.find(call.name);
  if (it == game_server_.lists.end()) return no_list(call.name);
  List next = it->second;
  // No mask: what the request fills in (AIP-134). Agones's Node client sends its mask empty.
  if (call.mask.empty() && call.capacity != 0) next.capacity = call.capacity;
  if (call.mask.empty() && !call.values.empty()) next.values = call.values;
  for (const std::string& path : call.mask) {
    if (path == "capacity") {
      next.capacity = call.capacity;
    } else if (path == "values") {
      next.values = call.values;
    } else if (path != "name") {
      return refuse(
          SdkCode::InvalidArgument,
          fmt::format("invalid argument. Field Mask Path(s): [{}] are invalid for List. Use valid "
                      "field name(s): capacity, values",
                      path));
    }
  }
  if (next.capacity < 0 || next.capacity > kListCapacityMax) {
    return refuse(
        SdkCode::OutOfRange,
        fmt::format("out of range. Capacity must be within range [0,{}]. Found Capacity: {}",
                    kListCapacityMax, next.capacity));
  }
  if (std::int64_t(next.values.size()) > next.capacity)
    next.values.resize(std::size_t(next.capacity));
  TRY(check_values(bytes_of(next.values), bytes_of(it->second.values)));
  if (next != it->second) {
    it->second = next;
    changed();
  }
  return ListReply{call.name, next};
}

SdkResult SidecarState::on(const AddListValueCall& call, Instant) {
  const auto it = game_server_.lists.find(call.name);
  if (it == game_server_.lists.end()) return no_list(call.name);
  List& list = it->second;
  if (list.capacity <= std::int64_t(list.values.size())) {
    return refuse(
        SdkCode::OutOfRange,
        fmt::format("out of range. No available capacity. Current Capacity: {}, List Size: {}",
                    list.capacity, list.values.size()));
  }
  if (std::ranges::find(list.values, call.value) != list.values.end()) {
    return refuse(
        SdkCode::AlreadyExists,
        fmt::format("already exists. Value: {} already in List: {}", call.value, call.name));
  }
  TRY(check_values(call.value.size(), 0));
  list.values.push_back(call.value);
  changed();
  return ListReply{call.name, list};
}

SdkResult SidecarState::on(const RemoveListValueCall& call, Instant) {
  const auto it = game_server_.lists.find(call.name);
  if (it == game_server_.lists.end()) return no_list(call.name);
  List& list = it->second;
  const auto value = std::ranges::find(list.values, call.value);
  if (value == list.values.end()) {
    return refuse(SdkCode::NotFound,
                  fmt::format("not found. Value: {} not found in List: {}", call.value, call.name));
  }
  list.values.erase(value);
  changed();
  return ListReply{call.name, list};
}

SdkResult SidecarState::on(const PlayerConnectCall& call, Instant) {
  Players& known = players();
  if (std::ranges::find(known.ids, call.player) != known.ids.end()) return BoolReply{false};
  if (std::int64_t(known.ids.size()) >= known.capacity) {
    return refuse(SdkCode::Unknown, "players are already at capacity");
  }
  TRY(check_values(call.player.size(), 0));
  known.ids.push_back(call.player);
  changed();
  return BoolReply{true};
}

SdkResult SidecarState::on(const PlayerDisconnectCall& call, Instant) {
  Players& known = players();
  const auto it = std::ranges::find(known.ids, call.player);
  if (it == known.ids.end()) return BoolReply{false};
  known.ids.erase(it);
  changed();
  return BoolReply{true};
}

SdkResult SidecarState::on(const SetPlayerCapacityCall& call, Instant) {
  if (call.capacity < 0) return refuse(SdkCode::InvalidArgument, "capacity must be 0 or more");
  if (players().capacity != call.capacity) {
    players().capacity = call.capacity;
    changed();
  }
  return EmptyReply{};
}

SdkResult SidecarState::on(const GetPlayerCapacityCall&, Instant) {
  return CountReply{game_server_.players ? game_server_.players->capacity : 0};
}

SdkResult SidecarState::on(const GetPlayerCountCall&, Instant) {
  return CountReply{game_server_.players ? std::int64_t(game_server_.players->ids.size()) : 0};
}

SdkResult SidecarState::on(const IsPlayerConnectedCall& call, Instant) {
  if (!game_server_.players) return BoolReply{false};
  const std::vector<std::string>& ids = game_server_.players->ids;
  return BoolReply{std::ranges::find(ids, call.player) != ids.end()};
}

SdkResult SidecarState::on(const GetConnectedPlayersCall&, Instant) {
  return PlayerIdsReply{game_server_.players ? game_server_.players->ids
                                             : std::vector<std::string>{}};
}

}  // namespace showcaller::agones
