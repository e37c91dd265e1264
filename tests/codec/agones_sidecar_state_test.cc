// SPDX-License-Identifier: Apache-2.0
#include "codec/agones_sidecar_state.h"

#include <gtest/gtest.h>

namespace showcaller::agones {
namespace {

constexpr Instant kStart = instant_ms(1'000'000);

GameServer plain() {
  GameServer out;
  out.name = "raid-1";
  out.counters["rooms"] = {0, 10};
  out.lists["players"] = {2, {}};
  return out;
}

SidecarState fresh(SidecarRules rules = {}) {
  return {plain(), rules, SidecarPhase::Scheduled, kStart};
}

template <class Reply>
Reply must(SdkResult result) {
  EXPECT_TRUE(result) << result.error().message;
  return std::get<Reply>(*result);
}

TEST(SidecarState, GoesFromScheduledThroughASessionBackToReady) {
  SidecarState state = fresh();
  EXPECT_EQ(state.game_server().state, "Scheduled");
  EXPECT_FALSE(state.assign("s-1", {}, {}, kStart)) << "a session before Ready";
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  EXPECT_EQ(state.game_server().state, "Ready");
  EXPECT_TRUE(state.was_ready());
  ASSERT_TRUE(state.assign("s-1", {{"mode", "ranked"}}, {{"seed", "7"}}, kStart));
  EXPECT_EQ(state.game_server().state, "Allocated");
  EXPECT_EQ(state.session(), "s-1");
  EXPECT_EQ(state.assign("s-2", {}, {}, kStart).error().code, ErrorCode::Conflict);
  EXPECT_TRUE(state.assign("s-1", {}, {}, kStart)) << "the same session again is no error";
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  EXPECT_EQ(state.sessions_ended(), 1);
  EXPECT_FALSE(state.session());
  EXPECT_FALSE(state.game_server().annotations.contains("showcaller.dev/session"));
  EXPECT_FALSE(state.game_server().annotations.contains("seed"));
  EXPECT_TRUE(state.game_server().labels.empty());
}

TEST(SidecarState, SaysWhenItWasGivenASessionLast) {
  SidecarState state = fresh();
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  ASSERT_TRUE(state.assign("s-1", {}, {}, kStart));
  ASSERT_TRUE(state.assign("s-1", {}, {}, kStart + seconds(5)));
  must<EmptyReply>(state.apply(ReadyCall{}, kStart + seconds(9)));
  EXPECT_EQ(
      state.game_server().annotations,
      (std::map<std::string, std::string>{{"agones.dev/last-allocated", format_instant(kStart)}}));
}

TEST(SidecarState, ASecondSessionComesBesideTheFirst) {
  SidecarState state = fresh();
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  ASSERT_TRUE(state.assign("s-1", {}, {{"showcaller.dev/sessions", "s-1"}}, kStart));
  EXPECT_FALSE(state.assign("s-2", {}, {{"showcaller.dev/sessions", "s-11,s-2"}}, kStart));
  ASSERT_TRUE(state.assign("s-2", {}, {{"showcaller.dev/sessions", "s-1,s-2"}}, kStart));
  EXPECT_EQ(state.session(), "s-2");
  EXPECT_EQ(state.game_server().annotations.at("showcaller.dev/sessions"), "s-1,s-2");
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  EXPECT_FALSE(state.game_server().annotations.contains("showcaller.dev/sessions"));
}

// Whoever gives sessions knew that the last one was over, and the game server was refused all
// others.
TEST(SidecarState, AnotherSessionComesAfterOneThatWasReleased) {
  SidecarState state = fresh();
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  ASSERT_TRUE(state.assign("s-1", {}, {{"showcaller.dev/sessions", "s-1"}}, kStart));
  ASSERT_TRUE(state.assign("s-2", {}, {{"showcaller.dev/sessions", "s-1,s-2"}}, kStart));
  ASSERT_TRUE(state.assign(
      "s-3", {}, {{"showcaller.dev/sessions", "s-3"}, {"showcaller.dev/sessions-over", "s-1,s-2"}},
      kStart));
  EXPECT_EQ(state.session(), "s-3");
  EXPECT_EQ(state.game_server().annotations.at("showcaller.dev/sessions"), "s-3");
  ASSERT_TRUE(state.assign("s-4", {}, {{"showcaller.dev/sessions", "s-3,s-4"}}, kStart));
  EXPECT_FALSE(state.game_server().annotations.contains("showcaller.dev/sessions-over"));
  EXPECT_FALSE(state.assign("s-5", {}, {{"showcaller.dev/sessions", "s-5"}}, kStart));
}

TEST(SidecarState, WhatTheGameServerSetItselfStaysAfterASession) {
  SidecarState state = fresh();
  must<EmptyReply>(state.apply(SetLabelCall{"map", "ice"}, kStart));
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  ASSERT_TRUE(state.assign("s-1", {{"agones.dev/sdk-map", "fire"}}, {}, kStart));
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  EXPECT_TRUE(state.game_server().labels.contains("agones.dev/sdk-map"));
}

TEST(SidecarState, SelfAllocationHasNoSessionOfOurs) {
  SidecarState state = fresh();
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  must<EmptyReply>(state.apply(AllocateCall{}, kStart));
  EXPECT_EQ(state.phase(), SidecarPhase::Allocated);
  EXPECT_FALSE(state.session());
}

TEST(SidecarState, MissedPingsMakeItUnhealthyForGood) {
  SidecarState state = fresh({.health_period = seconds(5), .health_failures = 3});
  EXPECT_FALSE(state.deadline()) << "pings are awaited from Ready on";
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  EXPECT_EQ(state.deadline(), kStart + seconds(15));
  must<EmptyReply>(state.apply(HealthCall{}, kStart + seconds(10)));
  state.tick(kStart + seconds(15));
  EXPECT_EQ(state.phase(), SidecarPhase::Ready);
  state.tick(kStart + seconds(25));
  EXPECT_EQ(state.phase(), SidecarPhase::Unhealthy);
  must<EmptyReply>(state.apply(HealthCall{}, kStart + seconds(26)));
  must<EmptyReply>(state.apply(ReadyCall{}, kStart + seconds(26)));
  EXPECT_EQ(state.phase(), SidecarPhase::Unhealthy);
  EXPECT_FALSE(state.assign("s-1", {}, {}, kStart + seconds(26)));
  must<EmptyReply>(state.apply(ShutdownCall{}, kStart + seconds(26)));
  EXPECT_EQ(state.phase(), SidecarPhase::Shutdown);
  EXPECT_FALSE(state.deadline());
}

TEST(SidecarState, AStartMayNotTakeTooLong) {
  SidecarState state = fresh({.start_timeout = seconds(60)});
  EXPECT_EQ(state.deadline(), kStart + seconds(60));
  state.tick(kStart + seconds(59));
  EXPECT_EQ(state.phase(), SidecarPhase::Scheduled);
  state.tick(kStart + seconds(60));
  EXPECT_EQ(state.phase(), SidecarPhase::Unhealthy);
  EXPECT_FALSE(state.was_ready());
}

TEST(SidecarState, AReservationRunsOut) {
  SidecarState state = fresh();
  must<EmptyReply>(state.apply(ReserveCall{5}, kStart));
  EXPECT_EQ(state.game_server().state, "Reserved");
  EXPECT_EQ(state.deadline(), kStart + seconds(5));
  EXPECT_FALSE(state.assign("s-1", {}, {}, kStart)) << "reserved for somebody";
  state.tick(kStart + seconds(5));
  EXPECT_EQ(state.game_server().state, "Ready");
  must<EmptyReply>(state.apply(ReserveCall{0}, kStart));
  EXPECT_FALSE(state.deadline()) << "0 means for ever";
  must<EmptyReply>(state.apply(AllocateCall{}, kStart));
  EXPECT_EQ(state.game_server().state, "Allocated");
  EXPECT_EQ(state.apply(ReserveCall{-1}, kStart).error().code, SdkCode::InvalidArgument);
}

TEST(SidecarState, ShutdownIsTheEnd) {
  SidecarState state = fresh();
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  ASSERT_TRUE(state.assign("s-1", {}, {}, kStart));
  must<EmptyReply>(state.apply(ShutdownCall{}, kStart));
  EXPECT_EQ(state.sessions_ended(), 1);
  for (const SdkCall& call :
       {SdkCall(ReadyCall{}), SdkCall(AllocateCall{}), SdkCall(ReserveCall{1})}) {
    must<EmptyReply>(state.apply(call, kStart));
    EXPECT_EQ(state.phase(), SidecarPhase::Shutdown) << describe(call);
  }
}

TEST(SidecarState, ADeveloperAtADeskMayGoAnywhere) {
  SidecarState state(local_game_server(7), {.lenient = true}, SidecarPhase::Scheduled, kStart);
  EXPECT_EQ(state.game_server().state, "Ready") << "as Agones's local server shows it";
  must<EmptyReply>(state.apply(ShutdownCall{}, kStart));
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  EXPECT_EQ(state.game_server().state, "Ready");
}

TEST(SidecarState, CountersStayWithinTheirCapacity) {
  SidecarState state = fresh();
  EXPECT_EQ(must<CounterReply>(state.apply(UpdateCounterCall{.name = "rooms", .diff = 3}, kStart))
                .counter.count,
            3);
  EXPECT_EQ(state.apply(UpdateCounterCall{.name = "rooms", .diff = 8}, kStart).error().code,
            SdkCode::OutOfRange);
  EXPECT_EQ(state.apply(UpdateCounterCall{.name = "rooms", .diff = -4}, kStart).error().code,
            SdkCode::OutOfRange);
  EXPECT_EQ(state.apply(UpdateCounterCall{.name = "rooms", .diff = INT64_MAX}, kStart).error().code,
            SdkCode::OutOfRange);
  EXPECT_EQ(state.apply(UpdateCounterCall{.name = "rooms"}, kStart).error().code,
            SdkCode::InvalidArgument);
  EXPECT_EQ(state.apply(UpdateCounterCall{.name = "cats", .diff = 1}, kStart).error().code,
            SdkCode::NotFound);
  EXPECT_EQ(must<CounterReply>(
                state.apply(UpdateCounterCall{.name = "rooms", .count = 9, .capacity = 20}, kStart))
                .counter,
            (Counter{9, 20}));
  EXPECT_EQ(must<CounterReply>(state.apply(GetCounterCall{"rooms"}, kStart)).counter,
            (Counter{9, 20}));
  EXPECT_EQ(
      must<CounterReply>(state.apply(UpdateCounterCall{.name = "rooms", .capacity = 5}, kStart))
          .counter,
      (Counter{5, 5}));
}

TEST(SidecarState, ListsHoldEachValueOnce) {
  SidecarState state = fresh();
  must<ListReply>(state.apply(AddListValueCall{"players", "ann"}, kStart));
  EXPECT_EQ(state.apply(AddListValueCall{"players", "ann"}, kStart).error().code,
            SdkCode::AlreadyExists);
  must<ListReply>(state.apply(AddListValueCall{"players", "bob"}, kStart));
  EXPECT_EQ(state.apply(AddListValueCall{"players", "cyd"}, kStart).error().code,
            SdkCode::OutOfRange);
  EXPECT_EQ(state.player_count(), 2);
  EXPECT_EQ(state.player_capacity(), 2);
  EXPECT_EQ(must<ListReply>(state.apply(RemoveListValueCall{"players", "ann"}, kStart)).list.values,
            std::vector<std::string>{"bob"});
  EXPECT_EQ(state.apply(RemoveListValueCall{"players", "ann"}, kStart).error().code,
            SdkCode::NotFound);
  EXPECT_EQ(
      state.apply(UpdateListCall{.name = "players", .capacity = 1001, .mask = {"capacity"}}, kStart)
          .error()
          .code,
      SdkCode::OutOfRange);
  EXPECT_EQ(state.apply(UpdateListCall{.name = "players", .mask = {"colour"}}, kStart).error().code,
            SdkCode::InvalidArgument);
  const ListReply cut = must<ListReply>(state.apply(
      UpdateListCall{
          .name = "players", .capacity = 1, .values = {"x", "y"}, .mask = {"capacity", "values"}},
      kStart));
  EXPECT_EQ(cut.list.values, std::vector<std::string>{"x"});
  const ListReply unmasked =
      must<ListReply>(state.apply(UpdateListCall{.name = "players", .capacity = 9}, kStart));
  EXPECT_EQ(unmasked.list, (List{9, {"x"}}));
}

TEST(SidecarState, PlayersComeUpToTheCapacity) {
  SidecarState state = fresh();
  EXPECT_FALSE(state.apply(PlayerConnectCall{"ann"}, kStart)) << "no capacity set";
  must<EmptyReply>(state.apply(SetPlayerCapacityCall{1}, kStart));
  EXPECT_TRUE(must<BoolReply>(state.apply(PlayerConnectCall{"ann"}, kStart)).value);
  EXPECT_FALSE(must<BoolReply>(state.apply(PlayerConnectCall{"ann"}, kStart)).value);
  EXPECT_FALSE(state.apply(PlayerConnectCall{"bob"}, kStart));
  EXPECT_TRUE(must<BoolReply>(state.apply(IsPlayerConnectedCall{"ann"}, kStart)).value);
  EXPECT_EQ(must<CountReply>(state.apply(GetPlayerCountCall{}, kStart)).count, 1);
  EXPECT_EQ(must<PlayerIdsReply>(state.apply(GetConnectedPlayersCall{}, kStart)).ids,
            std::vector<std::string>{"ann"});
  EXPECT_TRUE(must<BoolReply>(state.apply(PlayerDisconnectCall{"ann"}, kStart)).value);
  EXPECT_FALSE(must<BoolReply>(state.apply(PlayerDisconnectCall{"ann"}, kStart)).value);
}

TEST(SidecarState, OnlyWhatAWatcherWouldSeeIsAChange) {
  SidecarState state = fresh();
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  const std::uint64_t before = state.version();
  must<EmptyReply>(state.apply(HealthCall{}, kStart));
  must<EmptyReply>(state.apply(ReadyCall{}, kStart));
  must<GameServer>(state.apply(GetGameServerCall{}, kStart));
  EXPECT_EQ(state.version(), before);
  must<EmptyReply>(state.apply(SetAnnotationCall{"a", "b"}, kStart));
  EXPECT_GT(state.version(), before);
}

TEST(SidecarState, MetadataHasABound) {
  SidecarState state = fresh();
  SdkResult last = EmptyReply{};
  for (std::size_t i = 0; i <= kMetadataEntriesMax && last; ++i) {
    last = state.apply(SetLabelCall{std::to_string(i), "x"}, kStart);
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, SdkCode::OutOfRange);
  must<EmptyReply>(state.apply(SetLabelCall{"7", "y"}, kStart));  // One that it has.
  EXPECT_EQ(state.game_server().labels.at("agones.dev/sdk-7"), "y");
}

TEST(SidecarState, ListsAndPlayersHaveABoundInBytes) {
  GameServer server;
  server.lists["loot"].capacity = 1000;
  SidecarState state(server, {}, SidecarPhase::Scheduled, kStart);
  const std::string half(kValuesBytesMax / 2, 'x');
  ASSERT_TRUE(state.apply(AddListValueCall{"loot", half}, kStart));
  ASSERT_TRUE(state.apply(SetPlayerCapacityCall{1000}, kStart));
  ASSERT_TRUE(state.apply(PlayerConnectCall{half}, kStart));
  const std::uint64_t before = state.version();
  UpdateListCall update;
  update.name = "loot";
  update.values = {half, "y"};
  for (const SdkResult& more :
       {state.apply(AddListValueCall{"loot", "y"}, kStart), state.apply(update, kStart),
        state.apply(PlayerConnectCall{"ann"}, kStart)}) {
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, SdkCode::OutOfRange);
    EXPECT_EQ(more.error().message.find("values of lists and ids of players would take"), 0u);
  }
  EXPECT_EQ(state.version(), before);
  update.values = {"y"};
  EXPECT_TRUE(state.apply(update, kStart)) << "what it replaces makes room";
}

TEST(SidecarState, MetadataHasABoundInBytes) {
  SidecarState state = fresh();
  const std::size_t name = kSdkPrefix.size() + 1;
  const std::size_t half = kMetadataBytesMax / 2 - name;
  must<EmptyReply>(state.apply(SetLabelCall{"a", std::string(half, 'x')}, kStart));
  must<EmptyReply>(state.apply(SetAnnotationCall{"b", std::string(half, 'x')}, kStart));
  must<EmptyReply>(state.apply(SetAnnotationCall{"b", std::string(half, 'y')}, kStart));
  const std::uint64_t before = state.version();
  const SdkResult more = state.apply(SetAnnotationCall{"b", std::string(half + 1, 'x')}, kStart);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, SdkCode::OutOfRange);
  EXPECT_EQ(more.error().message,
            "labels and annotations would take 262145 bytes, and 262144 at most are kept; write a "
            "shorter value for b");
  EXPECT_FALSE(state.apply(SetAnnotationCall{"c", ""}, kStart));
  EXPECT_EQ(state.version(), before);
  EXPECT_EQ(state.game_server().annotations.at("agones.dev/sdk-b"), std::string(half, 'y'));
}

}  // namespace
}  // namespace showcaller::agones
