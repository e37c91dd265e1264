// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_switchboard.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace showcaller {

bool FlagSwitchboard::merge(const std::string& flag, const FlagSwitch& with) {
  FlagSwitch& here = switches_[flag];
  const FlagSwitch before = std::exchange(here, merged(here, with));
  return here != before;
}

void FlagSwitchboard::note(const std::string& flag, const FlagSwitch& move) {
  std::vector<FlagSwitch>& moves = untold_[flag];
  if (std::ranges::find(moves, move) != moves.end()) return;
  moves.push_back(move);
  if (moves.size() > kUntoldMax) moves.erase(moves.begin() + 1);
}

FlagSwitch FlagSwitchboard::kill(const std::string& flag, FlagSwitch by) {
  by.reopened = of(flag).reopened;
  by.off = true;
  if (of(flag).off) return of(flag);
  merge(flag, by);
  note(flag, by);
  return of(flag);
}

FlagSwitch FlagSwitchboard::reopen(const std::string& flag, FlagSwitch by) {
  if (!of(flag).off) return of(flag);
  by.reopened = of(flag).reopened + 1;
  by.off = false;
  merge(flag, by);
  note(flag, by);
  return of(flag);
}

bool FlagSwitchboard::hear_from_below(const FlagMoves& moves) {
  bool news = false;
  for (const FlagSwitch& move : moves.moves) {
    news = merge(moves.flag, move) || news;
    note(moves.flag, move);
  }
  return news;
}

bool FlagSwitchboard::hear_from_above(const std::string& flag, const FlagSwitch& there) {
  return merge(flag, there);
}

FlagSwitch FlagSwitchboard::of(std::string_view flag) const {
  const auto found = switches_.find(flag);
  return found == switches_.end() ? FlagSwitch{} : found->second;
}

std::vector<FlagMoves> FlagSwitchboard::untold() const {
  std::vector<FlagMoves> out;
  for (const auto& [flag, moves] : untold_) out.push_back({flag, moves});
  return out;
}

void FlagSwitchboard::told(const std::vector<FlagMoves>& all) {
  for (const FlagMoves& each : all) {
    const auto found = untold_.find(each.flag);
    if (found == untold_.end()) continue;
    std::erase_if(found->second, [&](const FlagSwitch& move) {
      return std::ranges::find(each.moves, move) != each.moves.end();
    });
    if (found->second.empty()) untold_.erase(found);
  }
}

json::object FlagSwitchboard::to_json() const {
  json::object switches;
  for (const auto& [flag, value] : switches_) switches.emplace(flag, switch_to_json(value));
  return {{"switches", std::move(switches)}, {"untold", moves_to_json(untold())}};
}

Result<FlagSwitchboard> FlagSwitchboard::from_json(const json::object& object) {
  FlagSwitchboard out;
  if (const json::value* switches = get_if(object, "switches"); switches && switches->is_object()) {
    for (const auto& [flag, value] : switches->get_object()) {
      TRY(out.switches_[std::string(flag)], switch_from_json(value));
    }
  }
  if (const json::value* untold = get_if(object, "untold")) {
    TRY(const auto moves, moves_from_json(*untold));
    for (const FlagMoves& each : moves) out.untold_[each.flag] = each.moves;
  }
  return out;
}

json::object switch_to_json(const FlagSwitch& value) {
  return {{"reopened", value.reopened},
          {"off", value.off},
          {"since", format_instant(value.since)},
          {"actor", value.actor},
          {"reason", value.reason}};
}

Result<FlagSwitch> switch_from_json(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr)
    return fail(ErrorCode::Invalid, "a switch is an object with `reopened`, `off` and `since`");
  TRY(const Instant since, parse_instant(get_string(*object, "since")));
  const std::int64_t reopened = get_int(*object, "reopened", -1);
  if (reopened < 0)
    return fail(ErrorCode::Invalid, "`reopened` of a switch counts its re-openings; send it");
  return FlagSwitch{.reopened = reopened,
                    .off = get_bool(*object, "off"),
                    .since = since,
                    .actor = get_string(*object, "actor"),
                    .reason = get_string(*object, "reason")};
}

json::array moves_to_json(const std::vector<FlagMoves>& all) {
  json::array out;
  for (const FlagMoves& each : all) {
    json::array moves;
    for (const FlagSwitch& move : each.moves) moves.push_back(switch_to_json(move));
    out.push_back(json::object{{"flag", each.flag}, {"moves", std::move(moves)}});
  }
  return out;
}

Result<std::vector<FlagMoves>> moves_from_json(const json::value& value) {
  const json::array* list = value.if_array();
  if (list == nullptr)
    return fail(ErrorCode::Invalid, "moves are a list of {\"flag\":…,\"moves\":[…]}");
  std::vector<FlagMoves> out;
  for (const json::value& each : *list) {
    const json::object* object = each.if_object();
    const json::value* moves = object != nullptr ? get_if(*object, "moves") : nullptr;
    if (moves == nullptr || !moves->is_array())
      return fail(ErrorCode::Invalid, "a flag's `moves` are a list of switches");
    FlagMoves& flag = out.emplace_back();
    flag.flag = get_string(*object, "flag");
    if (flag.flag.empty()) return fail(ErrorCode::Invalid, "`flag` of moves is empty; name it");
    for (const json::value& move : moves->get_array()) {
      TRY(FlagSwitch parsed, switch_from_json(move));
      flag.moves.push_back(std::move(parsed));
    }
  }
  return out;
}

}  // namespace showcaller
