// SPDX-License-Identifier: Apache-2.0
// What a relay answers from what it last knew.
#include "cli/relay/relay_backend.h"

#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/relay/relay_exports.h"
#include "codec/flag_delta.h"

namespace showcaller {
namespace {

const char* kRelayedDocument = R"({"flags":{
  "door":{"variants":{"open":true,"shut":false},"defaultVariant":"open","targeting":{"if":[{"==":[{"var":"g"},1]},"shut",null]}},
  "hidden":{"variants":{"a":1},"defaultVariant":"a"}}})";

class RelayBackendTest : public testing::Test {
 protected:
  RelayBackendTest() {
    state.flags["door"] = {.owner = "team-raids", .client = true, .off = "shut", .kill = {}};
    state.flags["hidden"] = {.owner = "team-shop", .client = false, .off = "", .kill = {}};
    const auto token = [&](const std::string& name, RelayToken what) {
      what.name = name;
      state.tokens[to_hex(sha256(name))] = std::move(what);
    };
    token("games", {.server = true, .verbs = {"flags", "report"}});
    token("players", {.verbs = {"flags", "report"}});
    token("ops", {.verbs = {"flags", "read"}, .kill = {"team-raids"}, .reopen = {"*"}});
    token("old", {.expires = instant_ms(5'000), .verbs = {"flags"}});
  }
  ~RelayBackendTest() override { std::filesystem::remove(file); }

  RelayBackendOptions options() {
    return {.state_file = file,
            .run = "run-1",
            .clock = [this] { return now; },
            .on_flags_changed = [this] { ++changes; },
            .on_news = [this] { ++news; },
            .spool_batches_max = 3};
  }
  std::unique_ptr<RelayBackend> informed() {
    auto backend = std::make_unique<RelayBackend>(options());
    backend->take_state(state);
    backend->take_flags(*parse_json(kRelayedDocument));
    return backend;
  }
  static std::string value(const RelayBackend& backend, const std::string& who) {
    const FlagView view = backend.flags(*backend.authenticate(who));
    const Evaluation answer = view.flags->evaluate("door", {}, {});
    return std::string(answer.variant) + (view.client_visible_only ? " to a client" : "");
  }

  RelayState state;
  Instant now = instant_ms(1'000);
  int changes = 0, news = 0;
  const std::string file =
      testing::TempDir() + "showcaller_relay_" + std::to_string(::getpid()) + ".json";
};

TEST_F(RelayBackendTest, TokensAreKnownByTheirHashAndFlagsByWhoAsks) {
  const auto backend = informed();
  EXPECT_EQ(value(*backend, "games"), "open");
  EXPECT_EQ(value(*backend, "players"), "open to a client");
  EXPECT_EQ(backend->flags(*backend->authenticate("players")).flags->size(), 1u);
  EXPECT_EQ(backend->flags(*backend->authenticate("games")).flags->size(), 2u);
  EXPECT_FALSE(backend->authenticate("stranger"));
  EXPECT_TRUE(backend->authenticate("old"));
  now = instant_ms(6'000);
  EXPECT_FALSE(backend->authenticate("old"));
  EXPECT_FALSE(backend->authorize(*backend->authenticate("players"), "relay", ""));
}

TEST_F(RelayBackendTest, AFlagIsKilledByWhoMayAndThatOutlastsTheRelay) {
  auto backend = informed();
  const Actor ops = *backend->authenticate("ops");
  EXPECT_EQ(backend->move_switch(ops, "hidden", false, "").error().code, ErrorCode::Forbidden);
  EXPECT_EQ(backend->move_switch(ops, "absent", false, "").error().code, ErrorCode::NotFound);
  const int before = changes;
  ASSERT_TRUE(backend->move_switch(ops, "door", false, "lag"));
  EXPECT_EQ(changes, before + 1);
  EXPECT_EQ(news, 1);
  EXPECT_EQ(value(*backend, "games"), "shut");
  EXPECT_EQ(value(*backend, "players"), "shut to a client");
  backend = std::make_unique<RelayBackend>(options());
  ASSERT_TRUE(backend->load());
  EXPECT_EQ(value(*backend, "games"), "shut");
  ASSERT_EQ(backend->untold().size(), 1u);
  EXPECT_EQ(backend->untold()[0].moves[0].reason, "lag");
  ASSERT_TRUE(backend->move_switch(ops, "door", true, "mended"));
  EXPECT_EQ(value(*backend, "games"), "open");
  backend->told(backend->untold());
  EXPECT_TRUE(backend->untold().empty());
}

TEST_F(RelayBackendTest, AReopeningAboveEndsAKillHereAndAKillAboveIsNotEndedHere) {
  const auto backend = informed();
  const Actor ops = *backend->authenticate("ops");
  ASSERT_TRUE(backend->move_switch(ops, "door", false, ""));
  state.flags["door"].kill = FlagSwitch{.reopened = 1, .actor = "bob"};
  backend->take_state(state);
  EXPECT_EQ(value(*backend, "games"), "open");
  const FlagSwitch above{.reopened = 1, .off = true, .actor = "bob"};
  state.flags["door"].kill = above;
  auto document = parse_json(kRelayedDocument)->as_object();
  json::value& door = document["flags"].as_object()["door"];
  door = killed_flag(door.as_object(), "shut", above);
  backend->take_flags(document);
  backend->take_state(state);
  EXPECT_EQ(value(*backend, "games"), "shut");
  EXPECT_EQ(backend->move_switch(ops, "door", true, "").error().code, ErrorCode::Conflict);
}

TEST_F(RelayBackendTest, ReportsWaitInOrderAndTheOldestMakesRoom) {
  const auto backend = informed();
  const auto report = [&](std::string_view token, int sequence) {
    return backend->report({.source = "s",
                            .sequence = sequence,
                            .trust = Trust::Server,
                            .deltas = {{.metric = "error", .n = 1}}},
                           *backend->authenticate(token));
  };
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(report(i == 5 ? "players" : "games", i));
  EXPECT_EQ(backend->batches().dropped(), 2u);
  const auto waiting = backend->batches().front(10);
  ASSERT_EQ(waiting.size(), 3u);
  const auto first = *decode_telemetry(waiting[0].text);
  EXPECT_EQ(first.sequence, 3);
  EXPECT_EQ(first.source, "games/s");
  EXPECT_EQ(first.trust, Trust::Server);
  // Whatever it claims: a player's machine is a client.
  EXPECT_EQ(decode_telemetry(waiting[2].text)->trust, Trust::Client);
  ASSERT_TRUE(report("games", 6));  // While the first is on its way.
  backend->batches().done(waiting[0].number);
  EXPECT_EQ(decode_telemetry(backend->batches().front(1)[0].text)->sequence, 4);
}

const char* kRelayedReaches = R"([{"event":"gala","revision":2,"visit":1,"flags":["door"],
  "documents":[],"regions":[],"admits":{"salt":"s","unit":"targetingKey","stages":[
  {"audience":{"==":[{"var":"group"},"staff"]},"exposure_ppm":1000000}]}}])";

// When it was, and by the stage that it was: what is in force when the line is back may be another.
TEST_F(RelayBackendTest, WhomAnAnswerExposesIsToldOnceWithTheTimeOfTheAnswer) {
  state.reaches = *reaches_from_json(*parse_json(kRelayedReaches));
  const auto backend = informed();
  const json::object staff{{"targetingKey", "p-1"}, {"group", "staff"}, {"region", "eu"}};
  now = instant_ms(7'000);
  for (int i = 0; i < 3; ++i) backend->evaluated(staff, "door");
  backend->evaluated(staff, "hidden");
  backend->evaluated({{"targetingKey", "p-2"}}, "door");
  backend->evaluated({{"group", "staff"}}, "door");
  now = instant_ms(9'000);
  backend->evaluated(staff, "");
  const auto waiting = backend->exposures().front(10);
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(*parse_json(waiting[0].text),
            *parse_json(R"({"event":"gala","revision":2,"visit":1,"player":"p-1","region":"eu",
                            "at":"1970-01-01T00:00:07Z"})"))
      << waiting[0].text;
}

// Flags come before it is known whom they reach.
TEST_F(RelayBackendTest, WhoIsAnsweredByNewFlagsIsJudgedByWhatIsKnownOfThemThen) {
  const auto backend = informed();
  backend->take_flags(*parse_json(kRelayedDocument));
  backend->evaluated({{"targetingKey", "p-1"}, {"group", "staff"}}, "door");
  backend->take_state(state);  // It was under way already.
  EXPECT_EQ(backend->exposures().size(), 0u);
  state.reaches = *reaches_from_json(*parse_json(kRelayedReaches));
  backend->take_state(state);
  EXPECT_EQ(backend->exposures().size(), 1u);
  // And who is answered by flags that are still the old ones.
  state.reaches.clear();
  backend->take_state(state);
  backend->evaluated({{"targetingKey", "p-2"}, {"group", "staff"}}, "door");
  EXPECT_EQ(backend->exposures().size(), 2u);
}

TEST_F(RelayBackendTest, AnswersAreReportedAsTheyWereGiven) {
  const auto backend = informed();
  const FlagView view = backend->flags(*backend->authenticate("games"));
  const auto answer = view.flags->evaluate("door", {}, {}).answer;
  for (int i = 0; i < 3; ++i) backend->answered(*view.flags, {&answer, 1});
  backend->report_answers();
  backend->report_answers();
  ASSERT_EQ(backend->batches().size(), 1u);
  const auto batch = *decode_telemetry(backend->batches().front(1)[0].text);
  ASSERT_EQ(batch.deltas.size(), 1u);
  EXPECT_EQ(batch.deltas[0].stratum, "door=open");
  EXPECT_EQ(batch.deltas[0].n, 3);
  EXPECT_EQ(batch.source, "relay-run-1");
}

TEST_F(RelayBackendTest, ItsStateIsReadBackBelow) {
  const auto backend = informed();
  ASSERT_TRUE(backend->move_switch(*backend->authenticate("ops"), "door", false, "lag"));
  const auto below = relay_state_from_json(backend->state());
  ASSERT_TRUE(below);
  EXPECT_TRUE(below->flags.at("door").kill->off);
  EXPECT_EQ(below->tokens.at(to_hex(sha256("old"))).expires, instant_ms(5'000));
  EXPECT_FALSE(relay_state_from_json(json::object()));
}

TEST_F(RelayBackendTest, ExportsGoAboveWithWhoSentThem) {
  const auto backend = informed();
  const Actor games = *backend->authenticate("games"), players = *backend->authenticate("players");
  const std::string body("\0\xff\n{", 4);
  backend->take_export({"application/x-protobuf", "gzip", {}, body}, games);
  backend->take_export({"application/json", "", {}, "{}"}, players);
  backend->take_export({"application/json", "", {"relay-b/s1", true}, "{}"}, games);
  backend->take_export({"application/json", "", {"s2", false}, "{}"}, games);
  const auto waiting = backend->exports().front(10);
  ASSERT_EQ(waiting.size(), 4u);
  const auto first = export_from_line(waiting[0].text);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->body, body);
  EXPECT_EQ(waiting[0].text.find('\n'), std::string::npos);
  std::string told;
  for (const auto& each : waiting) {
    const HttpClientRequest request = request_of(*export_from_line(each.text));
    told +=
        fmt::format("{} {} {} {}\n", request.headers.get("Content-Type"),
                    request.headers.get("Content-Encoding", "plain"),
                    request.headers.get(kOtlpSenderHeader), request.headers.get(kOtlpTrustHeader));
  }
  EXPECT_EQ(told,
            "application/x-protobuf gzip games server\n"
            "application/json plain players client\n"
            "application/json plain games/relay-b/s1 server\n"
            "application/json plain games/s2 client\n");
  EXPECT_FALSE(export_from_line("[]"));
  EXPECT_FALSE(export_from_line(R"({"body":"!"})"));
}

TEST_F(RelayBackendTest, WithoutRoomTheOldestExportIsDroppedAndCounted) {
  RelayBackendOptions few = options();
  few.exports_max = 2;
  RelayBackend backend(few);
  for (const char* body : {"1", "2", "3"})
    backend.take_export({"application/json", "", {}, body}, Actor{"games", {}});
  EXPECT_EQ(backend.exports().dropped(), 1u);
  EXPECT_EQ(export_from_line(backend.exports().front(1)[0].text)->body, "2");
}

}  // namespace
}  // namespace showcaller
