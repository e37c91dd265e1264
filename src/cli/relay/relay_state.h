// SPDX-License-Identifier: Apache-2.0
// What a relay knows besides the flags themselves: whose they are, who sees them, their kill
// switches, and the tokens that it may let in when nobody above can be asked.
//
//   state = {"flags":  {KEY: {"owner","client","off","switch"?}},
//            "tokens": {SHA256: {"name","roles","expires"?,"verbs","server","kill","reopen"}},
//            "reaches": [{"event","revision","visit", …}]}                 flow/flag_reach.h
//
// `kill` and `reopen` name the owners whose flags the token may kill or re-open; "*" is all. Tokens
// are told by their hash, from which nobody gets the token: it has 256 random bits.
// Threads: none; a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "flag/flag_switch.h"
#include "flow/flag_reach.h"
#include "model/command.h"
#include "model/world.h"

namespace showcaller {

struct RelayFlag {
  std::string owner;
  bool client = false;  // clients may see it
  std::string off;      // its variant when it is killed; empty: the caller's own
  std::optional<FlagSwitch> kill;
};

struct RelayToken {
  std::string name;
  std::vector<std::string> roles;
  Instant expires{};    // zero: never
  bool server = false;  // it speaks for a server and may see rules
  std::vector<std::string> verbs;
  std::vector<std::string> kill, reopen;  // owners

  bool may(std::string_view verb) const;
};

struct RelayState {
  std::map<std::string, RelayFlag, std::less<>> flags;
  std::map<std::string, RelayToken, std::less<>> tokens;
  EventReaches reaches;  // whom events reach: the relay says itself whom its answers expose
};

// But for the reaches, which follow from secrets that no world has.
RelayState relay_state_of(const World& world, Instant now);
json::object relay_state_to_json(const RelayState& state);
Result<RelayState> relay_state_from_json(const json::value& value);

// Who may see rules and whose word counts as a server's.
bool speaks_for_a_server(const World& world, const Actor& actor);

}  // namespace showcaller
