// SPDX-License-Identifier: Apache-2.0
// The REST face against the shapes of Agones's gateway.
#include "codec/agones_rest.h"

#include <gtest/gtest.h>

#include "codec/agones_manifest.h"
#include "codec/agones_sidecar_state.h"

namespace showcaller::agones {
namespace {

// "METHOD target body" → what it is, or the status and body that refuse it.
std::string parsed(std::string_view method, std::string_view target, std::string_view body = "{}") {
  const auto result = parse_rest({method, target, body});
  if (!result) return std::to_string(result.error().status) + " " + result.error().body;
  if (std::holds_alternative<WatchRequest>(*result)) return "watch";
  return describe(std::get<SdkCall>(*result));
}

TEST(AgonesRest, EachRequestIsItsCall) {
  EXPECT_EQ(parsed("POST", "/ready"), "Ready()");
  EXPECT_EQ(parsed("POST", "/ready", ""), "Ready()");
  EXPECT_EQ(parsed("POST", "/allocate"), "Allocate()");
  EXPECT_EQ(parsed("POST", "/shutdown"), "Shutdown()");
  EXPECT_EQ(parsed("POST", "/health"), "Health()");
  EXPECT_EQ(parsed("POST", "/reserve", R"({"seconds":"5"})"), "Reserve(5s)");
  EXPECT_EQ(parsed("POST", "/reserve", R"({"seconds":5,"colour":"red"})"), "Reserve(5s)");
  EXPECT_EQ(parsed("GET", "/gameserver"), "GetGameServer()");
  EXPECT_EQ(parsed("GET", "/watch/gameserver"), "watch");
  EXPECT_EQ(parsed("PUT", "/metadata/label", R"({"key":"map","value":"ice"})"),
            "SetLabel(map=ice)");
  EXPECT_EQ(parsed("PUT", "/metadata/annotation", R"({"key":"map","value":"ice"})"),
            "SetAnnotation(map=ice)");
  EXPECT_EQ(parsed("GET", "/v1beta1/counters/rooms"), "GetCounter(rooms)");
  EXPECT_EQ(parsed("PATCH", "/v1beta1/counters/rooms", R"({"count":"1","capacity":9})"),
            "UpdateCounter(rooms, count=1, capacity=9)");
  EXPECT_EQ(parsed("PATCH", "/v1beta1/counters/rooms", R"({"countDiff":"-1"})"),
            "UpdateCounter(rooms, countDiff=-1)");
  EXPECT_EQ(parsed("GET", "/v1beta1/lists/my%20list"), "GetList(my list)");
  EXPECT_EQ(parsed("PATCH", "/v1beta1/lists/players", R"({"capacity":"9"})"),
            "UpdateList(players)");
  EXPECT_EQ(parsed("POST", "/v1beta1/lists/players:addValue", R"({"value":"ann"})"),
            "AddListValue(players, ann)");
  EXPECT_EQ(parsed("POST", "/v1beta1/lists/players:removeValue", R"({"value":"ann"})"),
            "RemoveListValue(players, ann)");
  EXPECT_EQ(parsed("POST", "/alpha/player/connect", R"({"playerID":"ann"})"), "PlayerConnect(ann)");
  EXPECT_EQ(parsed("POST", "/alpha/player/disconnect", R"({"playerID":"ann"})"),
            "PlayerDisconnect(ann)");
  EXPECT_EQ(parsed("GET", "/alpha/player/connected"), "GetConnectedPlayers()");
  EXPECT_EQ(parsed("GET", "/alpha/player/connected/ann"), "IsPlayerConnected(ann)");
  EXPECT_EQ(parsed("GET", "/alpha/player/count"), "GetPlayerCount()");
  EXPECT_EQ(parsed("GET", "/alpha/player/capacity"), "GetPlayerCapacity()");
  EXPECT_EQ(parsed("PUT", "/alpha/player/capacity", R"({"count":"5"})"), "SetPlayerCapacity(5)");
}

TEST(AgonesRest, TheMaskOfAListComesFromTheQueryOrTheMembers) {
  const auto mask = [](std::string_view target, std::string_view body) {
    return std::get<UpdateListCall>(std::get<SdkCall>(*parse_rest({"PATCH", target, body}))).mask;
  };
  using Mask = std::vector<std::string>;
  EXPECT_EQ(mask("/v1beta1/lists/a", R"({"values":["x"]})"), Mask{"values"});
  EXPECT_EQ(mask("/v1beta1/lists/a", R"({"capacity":1,"values":[]})"),
            (Mask{"capacity", "values"}));
  EXPECT_EQ(mask("/v1beta1/lists/a?update_mask=capacity", R"({"capacity":1,"values":[]})"),
            Mask{"capacity"});
  EXPECT_EQ(mask("/v1beta1/lists/a?x=1&updateMask=capacity%2Cvalues", "{}"),
            (Mask{"capacity", "values"}));
}

TEST(AgonesRest, RefusalsAreShapedAsTheGatewayShapesThem) {
  EXPECT_EQ(parsed("GET", "/nowhere"), R"(404 {"code":5,"message":"Not Found","details":[]})");
  EXPECT_EQ(parsed("GET", "/ready"),
            R"(501 {"code":12,"message":"Method Not Allowed","details":[]})");
  EXPECT_TRUE(parsed("POST", "/reserve", R"({"seconds":"soon"})").starts_with(R"(400 {"code":3,)"));
  EXPECT_TRUE(parsed("POST", "/ready", "{").starts_with(R"(400 {"code":3,)"));
  EXPECT_TRUE(parsed("POST", "/ready", "[]").starts_with(R"(400 {"code":3,)"));
  EXPECT_TRUE(parsed("GET", "/v1beta1/counters/%zz").starts_with(R"(400 {"code":3,)"));
  EXPECT_TRUE(parsed("PUT", "/metadata/label", R"({"key":1})").starts_with(R"(400 {"code":3,)"));
  EXPECT_EQ(to_rest(std::unexpected(SdkError{SdkCode::NotFound, "counter not found: x"})).status,
            404);
  EXPECT_EQ(to_rest(std::unexpected(SdkError{SdkCode::OutOfRange, "x"})).status, 400);
  EXPECT_EQ(to_rest(std::unexpected(SdkError{SdkCode::AlreadyExists, "x"})).status, 409);
}

TEST(AgonesRest, ANameThatIsNoTextIsNotEchoed) {
  for (const char* name : {"\x8e", "%8e", "%c0%80", "%ed%a0%80", "%f4%90%80%80", "a%e4"}) {
    EXPECT_EQ(parsed("GET", std::string("/v1beta1/counters/") + name),
              R"(400 {"code":3,"message":"malformed path","details":[]})");
  }
  EXPECT_EQ(parsed("GET", "/v1beta1/counters/%e2%82%ac"), "GetCounter(€)");
}

TEST(AgonesRest, TheGameServerHasProtoNamesStringsForLongsAndEveryMember) {
  EXPECT_EQ(
      to_json_text(to_json(local_game_server(1734000000))),
      R"({"object_meta":{"name":"local","namespace":"default","uid":"1234","resource_version":"v1",)"
      R"("generation":"1","creation_timestamp":"1734000000","deletion_timestamp":"0",)"
      R"("annotations":{"annotation":"true"},"labels":{"islocal":"true"}},)"
      R"("spec":{"health":{"disabled":false,"period_seconds":3,"failure_threshold":5,)"
      R"("initial_delay_seconds":10}},"status":{"state":"Ready","address":"127.0.0.1",)"
      R"("addresses":[],"ports":[{"name":"default","port":7777}],)"
      R"("players":{"count":"0","capacity":"0","ids":[]},)"
      R"("counters":{"rooms":{"count":"1","capacity":"10"}},)"
      R"("lists":{"players":{"capacity":"100","values":["test0","test1","test2"]}}}})");
  EXPECT_EQ(to_rest(EmptyReply{}).body, "{}");
  EXPECT_EQ(to_rest(BoolReply{true}).body, R"({"bool":true})");
  EXPECT_EQ(to_rest(CountReply{12}).body, R"({"count":"12"})");
  EXPECT_EQ(to_rest(CounterReply{"rooms", {1, 10}}).body,
            R"({"name":"rooms","count":"1","capacity":"10"})");
}

// Agones's own REST conformance client ends in failure unless a count of zero is "0".
TEST(AgonesRest, WhatIsZeroOrEmptyIsWrittenToo) {
  EXPECT_EQ(to_rest(BoolReply{}).body, R"({"bool":false})");
  EXPECT_EQ(to_rest(CountReply{}).body, R"({"count":"0"})");
  EXPECT_EQ(to_rest(PlayerIdsReply{}).body, R"({"list":[]})");
  EXPECT_EQ(to_rest(CounterReply{"rooms", {}}).body,
            R"({"name":"rooms","count":"0","capacity":"0"})");
  EXPECT_EQ(to_rest(ListReply{"maps", {}}).body, R"({"name":"maps","capacity":"0","values":[]})");
  EXPECT_EQ(
      watch_line(GameServer{}),
      R"({"result":{"object_meta":{"name":"","namespace":"","uid":"","resource_version":"",)"
      R"("generation":"0","creation_timestamp":"0","deletion_timestamp":"0","annotations":{},)"
      R"("labels":{}},"spec":{"health":{"disabled":false,"period_seconds":5,)"
      R"("failure_threshold":3,"initial_delay_seconds":5}},"status":{"state":"","address":"",)"
      R"("addresses":[],"ports":[],"players":null,"counters":{},"lists":{}}}})"
      "\n");
}

TEST(AgonesManifest, IsReadAsADeveloperWritesIt) {
  const json::value manifest = *parse_json(R"({"apiVersion":"agones.dev/v1","kind":"GameServer",
    "metadata":{"name":"udp","labels":{"a":"b"}},
    "spec":{"health":{"periodSeconds":7},"counters":{"rooms":{"count":1,"capacity":5}},
            "lists":{"players":{"capacity":3,"values":["x"]}},"template":{"spec":{}}},
    "status":{"state":"Allocated","address":"10.0.0.1","ports":[{"name":"p","port":7000}]}})");
  const GameServer read = *game_server_from_manifest(manifest, GameServer{});
  EXPECT_EQ(read.name, "udp");
  EXPECT_EQ(read.labels.at("a"), "b");
  EXPECT_EQ(read.health.period_seconds, 7);
  EXPECT_EQ(read.counters.at("rooms"), (Counter{1, 5}));
  EXPECT_EQ(read.lists.at("players").values, std::vector<std::string>{"x"});
  EXPECT_EQ(read.state, "Allocated");
  EXPECT_EQ(read.ports.at(0).port, 7000);
  EXPECT_FALSE(game_server_from_manifest(json::value("x"), {}));
  EXPECT_FALSE(game_server_from_manifest(*parse_json(R"({"metadata":{"name":7}})"), {}));
}

}  // namespace
}  // namespace showcaller::agones
