// SPDX-License-Identifier: Apache-2.0
#include "cli/relay/relay_state.h"

#include <algorithm>
#include <set>

#include "flag/flag_switchboard.h"
#include "policy/access.h"

namespace showcaller {
namespace {

constexpr std::string_view kAskedVerbs[] = {"flags", "report", "read", "relay"};
constexpr std::string_view kEveryOwner = "*";

std::vector<std::string> owners_of(const World& world, const Actor& actor, std::string_view verb,
                                   const std::set<std::string>& owners) {
  if (authorize(world, actor, verb, "")) return {std::string(kEveryOwner)};
  std::vector<std::string> out;
  for (const std::string& owner : owners) {
    if (authorize(world, actor, verb, owner)) out.push_back(owner);
  }
  return out;
}

json::array array_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

std::vector<std::string> texts_of(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  if (const json::value* list = get_if(object, key); list && list->is_array()) {
    for (const json::value& each : list->get_array()) {
      if (each.is_string()) out.emplace_back(each.get_string());
    }
  }
  return out;
}

Result<RelayFlag> flag_from_json(const json::object& object) {
  RelayFlag out{.owner = get_string(object, "owner"),
                .client = get_bool(object, "client"),
                .off = get_string(object, "off"),
                .kill = std::nullopt};
  if (const json::value* kill = get_if(object, "switch")) {
    TRY(out.kill, switch_from_json(*kill));
  }
  return out;
}

Result<RelayToken> token_from_json(const json::object& object) {
  RelayToken out{.name = get_string(object, "name"),
                 .roles = texts_of(object, "roles"),
                 .expires = {},
                 .server = get_bool(object, "server"),
                 .verbs = texts_of(object, "verbs"),
                 .kill = texts_of(object, "kill"),
                 .reopen = texts_of(object, "reopen")};
  if (const std::string expires = get_string(object, "expires"); !expires.empty()) {
    TRY(out.expires, parse_instant(expires));
  }
  return out;
}

template <class Value>
Status read_all(const json::object& state, std::string_view member,
                Result<Value> (*read)(const json::object&),
                std::map<std::string, Value, std::less<>>* out) {
  const json::value* all = get_if(state, member);
  if (all == nullptr || !all->is_object())
    return fail(ErrorCode::Invalid, "the state has no `" + std::string(member) + "`");
  for (const auto& [key, value] : all->get_object()) {
    if (!value.is_object()) return fail(ErrorCode::Invalid, "an entry of the state is no object");
    TRY((*out)[std::string(key)], read(value.get_object()));
  }
  return {};
}

}  // namespace

bool speaks_for_a_server(const World& world, const Actor& actor) {
  const bool game_server = std::ranges::find(actor.roles, "game-server") != actor.roles.end();
  // A relay has looked at the tokens itself.
  return game_server || authorize(world, actor, "relay", "").has_value();
}

bool RelayToken::may(std::string_view verb) const {
  return std::ranges::find(verbs, verb) != verbs.end();
}

RelayState relay_state_of(const World& world, Instant now) {
  RelayState out;
  std::set<std::string> owners;
  world.manifests.each_from("Flag/", [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with("Flag/")) return false;
    const auto& spec = stored.manifest->as<FlagSpec>();
    owners.insert(stored.manifest->owner);
    out.flags[key.substr(5)] = {.owner = stored.manifest->owner,
                                .client = spec.client_visible,
                                .off = spec.variant_when_off(),
                                .kill = std::nullopt};
    return true;
  });
  world.flags.each([&](const std::string& key, const FlagState& state) {
    if (state.kill != FlagSwitch{}) out.flags[key].kill = state.kill;
  });
  world.tokens.each([&](const std::string& sha256, const Token& token) {
    if (token.expires != Instant{} && token.expires <= now) return;
    const Actor actor{token.name, token.roles};
    RelayToken& told = out.tokens[sha256];
    told = {.name = token.name,
            .roles = token.roles,
            .expires = token.expires,
            .server = speaks_for_a_server(world, actor),
            .verbs = {},
            .kill = owners_of(world, actor, "kill-flag", owners),
            .reopen = owners_of(world, actor, "reopen-flag", owners)};
    for (const std::string_view verb : kAskedVerbs) {
      if (authorize(world, actor, verb, "")) told.verbs.emplace_back(verb);
    }
  });
  return out;
}

json::object relay_state_to_json(const RelayState& state) {
  json::object flags, tokens;
  for (const auto& [key, flag] : state.flags) {
    json::object& told = flags[key].emplace_object();
    told = {{"owner", flag.owner}, {"client", flag.client}, {"off", flag.off}};
    if (flag.kill) told["switch"] = switch_to_json(*flag.kill);
  }
  for (const auto& [sha256, token] : state.tokens) {
    json::object& told = tokens[sha256].emplace_object();
    told = {{"name", token.name},
            {"roles", array_of(token.roles)},
            {"verbs", array_of(token.verbs)},
            {"server", token.server},
            {"kill", array_of(token.kill)},
            {"reopen", array_of(token.reopen)}};
    if (token.expires != Instant{}) told["expires"] = format_instant(token.expires);
  }
  return {{"flags", std::move(flags)},
          {"tokens", std::move(tokens)},
          {"reaches", reaches_to_json(state.reaches)}};
}

Result<RelayState> relay_state_from_json(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return fail(ErrorCode::Invalid, "the state of a relay is an object");
  RelayState out;
  TRY(read_all(*object, "flags", flag_from_json, &out.flags));
  TRY(read_all(*object, "tokens", token_from_json, &out.tokens));
  if (const json::value* reaches = get_if(*object, "reaches")) {
    TRY(out.reaches, reaches_from_json(*reaches));
  }
  return out;
}

}  // namespace showcaller
