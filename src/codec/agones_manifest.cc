// SPDX-License-Identifier: Apache-2.0
#include "codec/agones_manifest.h"

#include <functional>

#include <fmt/format.h>

namespace showcaller::agones {
namespace {

// The object at a key; absent: an empty one.
Result<json::object> object_at(const json::object& parent, std::string_view key) {
  const json::value* value = get_if(parent, key);
  if (!value || value->is_null()) return json::object();
  if (!value->is_object())
    return fail(ErrorCode::Invalid, fmt::format("'{}' must be a mapping", key));
  return value->get_object();
}

Status read_string(const json::object& parent, std::string_view key, std::string* out) {
  const json::value* value = get_if(parent, key);
  if (!value || value->is_null()) return {};
  if (!value->is_string())
    return fail(ErrorCode::Invalid, fmt::format("'{}' must be a string", key));
  *out = value->get_string();
  return {};
}

Status read_strings(const json::object& parent, std::string_view key,
                    std::map<std::string, std::string>* out) {
  TRY(const json::object object, object_at(parent, key));
  for (const auto& [name, value] : object) {
    if (!value.is_string())
      return fail(ErrorCode::Invalid,
                  fmt::format("'{}.{}' must be a string", key, std::string_view(name)));
    out->insert_or_assign(std::string(name), std::string(value.get_string()));
  }
  return {};
}

Status read_counters(const json::object& parent, std::map<std::string, Counter>* out) {
  TRY(const json::object object, object_at(parent, "counters"));
  for (const auto& [name, value] : object) {
    if (!value.is_object()) return fail(ErrorCode::Invalid, "each of 'counters' must be a mapping");
    out->insert_or_assign(std::string(name), Counter{get_int(value.get_object(), "count"),
                                                     get_int(value.get_object(), "capacity")});
  }
  return {};
}

Status read_lists(const json::object& parent, std::map<std::string, List>* out) {
  TRY(const json::object object, object_at(parent, "lists"));
  for (const auto& [name, value] : object) {
    if (!value.is_object()) return fail(ErrorCode::Invalid, "each of 'lists' must be a mapping");
    List list{.capacity = get_int(value.get_object(), "capacity")};
    if (const json::value* values = get_if(value.get_object(), "values");
        values && values->is_array()) {
      for (const json::value& one : values->get_array()) {
        if (one.is_string()) list.values.emplace_back(one.get_string());
      }
    }
    out->insert_or_assign(std::string(name), std::move(list));
  }
  return {};
}

Status read_health(const json::object& spec, HealthSpec* out) {
  TRY(const json::object health, object_at(spec, "health"));
  out->disabled = get_bool(health, "disabled", out->disabled);
  out->period_seconds = std::int32_t(get_int(health, "periodSeconds", out->period_seconds));
  out->failure_threshold =
      std::int32_t(get_int(health, "failureThreshold", out->failure_threshold));
  out->initial_delay_seconds =
      std::int32_t(get_int(health, "initialDelaySeconds", out->initial_delay_seconds));
  return {};
}

}  // namespace

Result<GameServer> game_server_from_manifest(const json::value& manifest, GameServer base) {
  if (!manifest.is_object()) return fail(ErrorCode::Invalid, "a GameServer manifest is a mapping");
  const json::object& root = manifest.get_object();
  TRY(const json::object metadata, object_at(root, "metadata"));
  TRY(const json::object spec, object_at(root, "spec"));
  TRY(const json::object status, object_at(root, "status"));
  GameServer out = std::move(base);
  TRY(read_string(metadata, "name", &out.name));
  TRY(read_string(metadata, "namespace", &out.name_space));
  TRY(read_string(metadata, "uid", &out.uid));
  TRY(read_strings(metadata, "labels", &out.labels));
  TRY(read_strings(metadata, "annotations", &out.annotations));
  TRY(read_health(spec, &out.health));
  for (const json::object* where : {&spec, &status}) {
    TRY(read_counters(*where, &out.counters));
    TRY(read_lists(*where, &out.lists));
    TRY(const json::object players, object_at(*where, "players"));
    for (const std::string_view key : {"initialCapacity", "capacity"}) {
      if (get_if(players, key)) out.players = Players{.capacity = get_int(players, key)};
    }
  }
  TRY(read_string(status, "state", &out.state));
  TRY(read_string(status, "address", &out.address));
  if (const json::value* ports = get_if(status, "ports"); ports && ports->is_array()) {
    out.ports.clear();
    for (const json::value& one : ports->get_array()) {
      if (!one.is_object())
        return fail(ErrorCode::Invalid, "each of 'status.ports' must be a mapping");
      out.ports.push_back(
          {get_string(one.get_object(), "name"), int(get_int(one.get_object(), "port"))});
    }
  }
  return out;
}

}  // namespace showcaller::agones
