// SPDX-License-Identifier: Apache-2.0
// The REST face of the Agones SDK: which request is which call, and replies as JSON. Pure.
//
// It follows Agones's own gateway (grpc-gateway v2 with proto names and unpopulated fields):
// snake_case members, all of them written, 64-bit integers as strings going out and as strings or
// numbers coming in, unknown members passed over.
//
//   POST  /ready /allocate /shutdown /health   {} → {}
//   POST  /reserve                             {"seconds":"5"}
//   GET   /gameserver                          → the game server
//   GET   /watch/gameserver                    → a line {"result":<game server>} now and after each
//                                                change; over a WebSocket a text message each
//   PUT   /metadata/label /metadata/annotation {"key":"k","value":"v"}
//   GET   /v1beta1/counters/NAME
//   PATCH /v1beta1/counters/NAME               {"count":"1"} or {"capacity":"9"} or
//                                              {"countDiff":"-1"}
//   GET   /v1beta1/lists/NAME
//   PATCH /v1beta1/lists/NAME                  {"capacity":"9","values":["a"]}, mask from the
//                                              members or ?update_mask=capacity,values
//   POST  /v1beta1/lists/NAME:addValue         {"value":"v"}, and :removeValue
//   POST  /alpha/player/connect, /disconnect   {"playerID":"p"} → {"bool":true}
//   GET   /alpha/player/connected, /connected/ID, /count, /capacity
//   PUT   /alpha/player/capacity               {"count":"5"}
//   errors: {"code":<gRPC code>,"message":"…","details":[]}
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "codec/agones_sdk.h"

namespace showcaller::agones {

struct RestRequest {
  std::string_view method;
  std::string_view target;  // path and query as they were sent
  std::string_view body;
};

struct RestReply {
  int status = 200;
  std::string body;  // application/json
};

struct WatchRequest {};

// What a request asks for, or the reply that says why it asks for nothing.
std::expected<std::variant<SdkCall, WatchRequest>, RestReply> parse_rest(
    const RestRequest& request);
RestReply to_rest(const SdkResult& result);
// One line of the watch stream, with its end of line.
std::string watch_line(const GameServer& game_server);

json::object to_json(const GameServer& game_server);

}  // namespace showcaller::agones
