// SPDX-License-Identifier: Apache-2.0
#include "codec/agones_rest.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/utf8.h"

namespace showcaller::agones {
namespace {

constexpr std::size_t kBodyBytesMax = 256 << 10;

RestReply error_reply(int status, int code, std::string_view message) {
  json::object body;
  body["code"] = code;
  body["message"] = message;
  body["details"] = json::array();
  return {status, to_json_text(body)};
}

std::unexpected<RestReply> invalid(std::string_view message) {
  return std::unexpected(error_reply(400, int(SdkCode::InvalidArgument), message));
}

int http_status(SdkCode code) {
  switch (code) {
    case SdkCode::InvalidArgument:
    case SdkCode::FailedPrecondition:
    case SdkCode::OutOfRange:
      return 400;
    case SdkCode::NotFound:
      return 404;
    case SdkCode::AlreadyExists:
      return 409;
    case SdkCode::Unimplemented:
      return 501;
    case SdkCode::Unknown:
    case SdkCode::Internal:
      return 500;
  }
  return 500;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Without a value: a broken escape, or no text.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += char(high * 16 + low);
    i += 2;
  }
  // What is decoded comes back in answers, and JSON is UTF-8.
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

// A 64-bit integer as protobuf's JSON has it: a number, or a string with one. Whole numbers written
// as doubles pass.
std::expected<std::optional<std::int64_t>, RestReply> read_int64(const json::object& object,
                                                                 std::string_view key) {
  const json::value* value = get_if(object, key);
  if (!value || value->is_null()) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_double()) {
    const double number = value->get_double();
    if (number >= -9e15 && number <= 9e15 && number == double(std::int64_t(number)))
      return std::int64_t(number);
  }
  if (value->is_string()) {
    const json::string& text = value->get_string();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
  }
  return invalid(fmt::format("invalid value for int64 field {}: {}", key, to_json_text(*value)));
}

std::expected<std::string, RestReply> read_string(const json::object& object,
                                                  std::string_view key) {
  const json::value* value = get_if(object, key);
  if (!value || value->is_null()) return std::string();
  if (!value->is_string()) return invalid(fmt::format("invalid value for string field {}", key));
  return std::string(value->get_string());
}

std::expected<std::vector<std::string>, RestReply> read_strings(const json::object& object,
                                                                std::string_view key) {
  std::vector<std::string> out;
  const json::value* value = get_if(object, key);
  if (!value || value->is_null()) return out;
  if (!value->is_array()) return invalid(fmt::format("invalid value for repeated field {}", key));
  for (const json::value& one : value->get_array()) {
    if (!one.is_string()) return invalid(fmt::format("invalid value for string field {}", key));
    out.emplace_back(one.get_string());
  }
  return out;
}

std::expected<json::object, RestReply> read_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return json::object();
  auto parsed = parse_json(body, {.bytes_max = kBodyBytesMax, .depth_max = 16});
  if (!parsed) return invalid(parsed.error().message);
  if (!parsed->is_object()) return invalid("the body must be a JSON object");
  return std::move(parsed->get_object());
}

using Parsed = std::expected<std::variant<SdkCall, WatchRequest>, RestReply>;

struct Target {
  std::string_view method;
  std::string path;  // decoded
  std::string_view query;
  json::object body;
};

template <class Call>
Parsed key_value(const json::object& body) {
  TRY(std::string key, read_string(body, "key"));
  TRY(std::string value, read_string(body, "value"));
  return Call{std::move(key), std::move(value)};
}

Parsed update_counter(std::string name, const json::object& body) {
  UpdateCounterCall call{.name = std::move(name)};
  TRY(call.count, read_int64(body, "count"));
  TRY(call.capacity, read_int64(body, "capacity"));
  TRY(auto diff, read_int64(body, "countDiff"));
  call.diff = diff.value_or(0);
  return call;
}

// The mask in the query; none: nullopt.
std::optional<std::vector<std::string>> update_mask(std::string_view query) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    if (equals == std::string_view::npos || (key != "update_mask" && key != "updateMask")) continue;
    const std::string paths = percent_decoded(pair.substr(equals + 1)).value_or("");
    std::vector<std::string> mask;
    for (std::size_t at = 0; at <= paths.size();) {
      const std::size_t comma = std::min(paths.find(',', at), paths.size());
      if (comma > at) mask.push_back(paths.substr(at, comma - at));
      at = comma + 1;
    }
    return mask;
  }
  return std::nullopt;
}

Parsed update_list(std::string name, const Target& target) {
  UpdateListCall call{.name = std::move(name)};
  TRY(auto capacity, read_int64(target.body, "capacity"));
  call.capacity = capacity.value_or(0);
  TRY(call.values, read_strings(target.body, "values"));
  if (auto mask = update_mask(target.query)) {
    call.mask = std::move(*mask);
  } else {
    for (const std::string_view path : {"capacity", "values"}) {
      if (get_if(target.body, path)) call.mask.emplace_back(path);
    }
  }
  return call;
}

std::unexpected<RestReply> not_found() {
  return std::unexpected(error_reply(404, int(SdkCode::NotFound), "Not Found"));
}

std::unexpected<RestReply> method_not_allowed() {
  return std::unexpected(error_reply(501, int(SdkCode::Unimplemented), "Method Not Allowed"));
}

Parsed parse_counter(std::string name, const Target& target) {
  if (target.method == "GET") return GetCounterCall{std::move(name)};
  if (target.method == "PATCH") return update_counter(std::move(name), target.body);
  return method_not_allowed();
}

Parsed parse_list(std::string name, const Target& target) {
  const std::size_t colon = name.rfind(':');
  const std::string verb = colon == std::string::npos ? "" : name.substr(colon + 1);
  if (target.method == "POST" && (verb == "addValue" || verb == "removeValue")) {
    name.resize(colon);
    TRY(std::string value, read_string(target.body, "value"));
    if (verb == "addValue") return AddListValueCall{std::move(name), std::move(value)};
    return RemoveListValueCall{std::move(name), std::move(value)};
  }
  if (target.method == "GET") return GetListCall{std::move(name)};
  if (target.method == "PATCH") return update_list(std::move(name), target);
  return method_not_allowed();
}

Parsed parse_player(const std::string& rest, const Target& target) {
  if (rest == "connect" || rest == "disconnect") {
    if (target.method != "POST") return method_not_allowed();
    TRY(std::string player, read_string(target.body, "playerID"));
    if (rest == "connect") return PlayerConnectCall{std::move(player)};
    return PlayerDisconnectCall{std::move(player)};
  }
  if (rest == "capacity" && target.method == "PUT") {
    TRY(auto count, read_int64(target.body, "count"));
    return SetPlayerCapacityCall{count.value_or(0)};
  }
  if (rest != "capacity" && rest != "count" && !rest.starts_with("connected")) return not_found();
  if (target.method != "GET") return method_not_allowed();
  if (rest == "capacity") return GetPlayerCapacityCall{};
  if (rest == "count") return GetPlayerCountCall{};
  if (rest == "connected") return GetConnectedPlayersCall{};
  if (rest.starts_with("connected/")) return IsPlayerConnectedCall{rest.substr(10)};
  return not_found();
}

struct PlainRoute {
  std::string_view method;
  std::string_view path;
  Parsed (*parse)(const Target& target);
};

constexpr PlainRoute kPlainRoutes[] = {
    {"POST", "/ready", [](const Target&) -> Parsed { return ReadyCall{}; }},
    {"POST", "/allocate", [](const Target&) -> Parsed { return AllocateCall{}; }},
    {"POST", "/shutdown", [](const Target&) -> Parsed { return ShutdownCall{}; }},
    {"POST", "/health", [](const Target&) -> Parsed { return HealthCall{}; }},
    {"POST", "/reserve",
     [](const Target& target) -> Parsed {
       TRY(auto seconds, read_int64(target.body, "seconds"));
       return ReserveCall{seconds.value_or(0)};
     }},
    {"GET", "/gameserver", [](const Target&) -> Parsed { return GetGameServerCall{}; }},
    {"GET", "/watch/gameserver", [](const Target&) -> Parsed { return WatchRequest{}; }},
    {"PUT", "/metadata/label",
     [](const Target& target) { return key_value<SetLabelCall>(target.body); }},
    {"PUT", "/metadata/annotation",
     [](const Target& target) { return key_value<SetAnnotationCall>(target.body); }},
};

Parsed parse_target(const Target& target) {
  bool path_known = false;
  for (const PlainRoute& route : kPlainRoutes) {
    if (route.path != target.path) continue;
    path_known = true;
    if (route.method == target.method) return route.parse(target);
  }
  if (path_known) return method_not_allowed();
  constexpr std::string_view kCounters = "/v1beta1/counters/";
  constexpr std::string_view kLists = "/v1beta1/lists/";
  constexpr std::string_view kPlayer = "/alpha/player/";
  if (target.path.starts_with(kCounters))
    return parse_counter(target.path.substr(kCounters.size()), target);
  if (target.path.starts_with(kLists)) return parse_list(target.path.substr(kLists.size()), target);
  if (target.path.starts_with(kPlayer))
    return parse_player(target.path.substr(kPlayer.size()), target);
  return not_found();
}

// Every member is written, zeros too, as the gateway writes them (EmitUnpopulated): a client may
// read a count that is not there as an error.
std::string from_int64(std::int64_t value) {
  return fmt::format("{}", value);
}

json::array from_strings(const std::vector<std::string>& values) {
  return json::array(values.begin(), values.end());
}

json::object from_strings(const std::map<std::string, std::string>& values) {
  json::object out;
  for (const auto& [name, value] : values) out.emplace(name, value);
  return out;
}

json::object to_json(const Counter& counter) {
  return {{"count", from_int64(counter.count)}, {"capacity", from_int64(counter.capacity)}};
}

json::object to_json(const List& list) {
  return {{"capacity", from_int64(list.capacity)}, {"values", from_strings(list.values)}};
}

json::object to_json(const Address& address) {
  return {{"type", address.type}, {"address", address.address}};
}

json::object to_json(const Port& port) {
  return {{"name", port.name}, {"port", port.port}};
}

json::object to_json(const Players& players) {
  return {{"count", from_int64(std::int64_t(players.ids.size()))},
          {"capacity", from_int64(players.capacity)},
          {"ids", from_strings(players.ids)}};
}

json::object to_json(const HealthSpec& health) {
  return {{"disabled", health.disabled},
          {"period_seconds", health.period_seconds},
          {"failure_threshold", health.failure_threshold},
          {"initial_delay_seconds", health.initial_delay_seconds}};
}

json::object meta_to_json(const GameServer& game_server) {
  return {{"name", game_server.name},
          {"namespace", game_server.name_space},
          {"uid", game_server.uid},
          {"resource_version", game_server.resource_version},
          {"generation", from_int64(game_server.generation)},
          {"creation_timestamp", from_int64(game_server.creation_timestamp)},
          {"deletion_timestamp", from_int64(game_server.deletion_timestamp)},
          {"annotations", from_strings(game_server.annotations)},
          {"labels", from_strings(game_server.labels)}};
}

template <class T>
json::array each_to_json(const std::vector<T>& values) {
  json::array out;
  for (const T& value : values) out.emplace_back(to_json(value));
  return out;
}

template <class T>
json::object each_to_json(const std::map<std::string, T>& values) {
  json::object out;
  for (const auto& [name, value] : values) out.emplace(name, to_json(value));
  return out;
}

json::object status_to_json(const GameServer& game_server) {
  const auto& players = game_server.players;
  return {{"state", game_server.state},
          {"address", game_server.address},
          {"addresses", each_to_json(game_server.addresses)},
          {"ports", each_to_json(game_server.ports)},
          {"players", players ? json::value(to_json(*players)) : json::value(nullptr)},
          {"counters", each_to_json(game_server.counters)},
          {"lists", each_to_json(game_server.lists)}};
}

struct ReplyToJson {
  json::object operator()(const EmptyReply&) const { return {}; }
  json::object operator()(const GameServer& game_server) const {
    return agones::to_json(game_server);
  }
  json::object operator()(const CounterReply& reply) const {
    json::object out{{"name", reply.name}};
    for (auto& [key, value] : to_json(reply.counter)) out.emplace(key, std::move(value));
    return out;
  }
  json::object operator()(const ListReply& reply) const {
    json::object out{{"name", reply.name}};
    for (auto& [key, value] : to_json(reply.list)) out.emplace(key, std::move(value));
    return out;
  }
  json::object operator()(const BoolReply& reply) const { return {{"bool", reply.value}}; }
  json::object operator()(const CountReply& reply) const {
    return {{"count", from_int64(reply.count)}};
  }
  json::object operator()(const PlayerIdsReply& reply) const {
    return {{"list", from_strings(reply.ids)}};
  }
};

}  // namespace

std::expected<std::variant<SdkCall, WatchRequest>, RestReply> parse_rest(
    const RestRequest& request) {
  const std::size_t question = request.target.find('?');
  Target target{.method = request.method};
  const auto path = percent_decoded(request.target.substr(0, question));
  if (!path) return invalid("malformed path");
  target.path = *path;
  if (question != std::string_view::npos) target.query = request.target.substr(question + 1);
  if (request.method != "GET") {
    TRY(target.body, read_body(request.body));
  }
  return parse_target(target);
}

RestReply to_rest(const SdkResult& result) {
  if (!result) {
    const SdkError& error = result.error();
    return error_reply(http_status(error.code), int(error.code), error.message);
  }
  return {200, to_json_text(std::visit(ReplyToJson(), *result))};
}

json::object to_json(const GameServer& game_server) {
  return {{"object_meta", meta_to_json(game_server)},
          {"spec", json::object{{"health", to_json(game_server.health)}}},
          {"status", status_to_json(game_server)}};
}

std::string watch_line(const GameServer& game_server) {
  json::object line;
  line.emplace("result", to_json(game_server));
  return to_json_text(line) + "\n";
}

}  // namespace showcaller::agones
