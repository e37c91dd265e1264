// SPDX-License-Identifier: Apache-2.0
// Who is what at the API: game servers, readers and clients; and that nobody hands out more than he
// has.
#include "cli/serve/host_backend.h"

#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

class HostBackendTest : public testing::Test {
 protected:
  HostBackendTest() {
    EXPECT_TRUE(theatre_.apply("policy.yaml", R"(
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house-rules, owner: team-raids }
spec:
  roles:
    - { name: minter, verbs: [token] }
)"));
  }
  Result<Receipt> mint(std::vector<std::string> own_roles, std::string name,
                       std::vector<std::string> roles) {
    Command command{
        CreateTokenCommand{"id-" + name, name, std::string(64, 'a'), std::move(roles), {}},
        {"mallory", std::move(own_roles)},
        {},
        {},
        {}};
    Result<Receipt> answer = fail(ErrorCode::Internal, "no reply");
    EXPECT_TRUE(theatre_.host().engine().submit(std::move(command),
                                                [&](Result<Receipt> r) { answer = std::move(r); }));
    theatre_.settle();
    return answer;
  }

  Theatre theatre_;
  MemoryJournal journal_{theatre_.disk};
  HostBackend backend_{&theatre_.host(), &journal_, {"test", "test"}};
};

TEST_F(HostBackendTest, GameServersAndReadersSeeAllFlagsAndClientsDoNot) {
  EXPECT_FALSE(backend_.flags({"g", {"game-server"}}).client_visible_only);
  EXPECT_FALSE(backend_.flags({"v", {"viewer"}}).client_visible_only);
  EXPECT_FALSE(backend_.flags({"a", {"admin"}}).client_visible_only);
  EXPECT_TRUE(backend_.flags({"c", {"client"}}).client_visible_only);
}

TEST_F(HostBackendTest, NobodyHandsOutMoreThanHeHas) {
  EXPECT_EQ(mint({"minter"}, "root", {"admin"}).error().code, ErrorCode::Forbidden);
  EXPECT_TRUE(mint({"minter"}, "deputy", {"minter"}));
}

// {"fleet":7} was a session without a fleet.
TEST_F(HostBackendTest, ASessionIsAskedForAsDocumentedOrNotAtAll) {
  const auto refused = [&](std::string_view body) {
    const auto answer = backend_.allocate(parse_json(body)->as_object(), {});
    return answer ? "allocated" : answer.error().message;
  };
  EXPECT_EQ(refused(R"({"session":"s","fleet":7})"), "'fleet' is not a text; put it in quotes");
  EXPECT_EQ(refused(R"({"session":"s","fleet":"f","regoin":"eu"})"),
            "'regoin' is not a field of this request; did you mean 'region'?");
  EXPECT_EQ(refused(R"({"protocol":"47"})"), "'protocol' is not a whole number; write one");
  EXPECT_EQ(refused(R"({"players":"p"})"), "'players' is not a list; write it in brackets");
  EXPECT_EQ(refused(R"({"players":[7]})"), "a player is neither an id nor an object with an 'id'");
  EXPECT_EQ(refused(R"({"players":[{"level":3}]})"), "'id' is missing; add it");
  EXPECT_EQ(refused(R"({"latency_ms":{"eu":"20"}})"),
            "'latency_ms' of 'eu' is not a whole number; write milliseconds");
  EXPECT_EQ(refused(R"({"context":[]})"), "'context' is not an object; write it in braces");
}

TEST_F(HostBackendTest, NoTokenIsNamedLikeTheEngine) {
  EXPECT_EQ(mint({"admin"}, "engine", {"viewer"}).error().code, ErrorCode::Invalid);
}

TEST_F(HostBackendTest, AKindOrAnEventThatIsNotThereIsSaid) {
  const auto kind = backend_.history({.kind = "verdict_chnaged", .limit = 10});
  ASSERT_FALSE(kind);
  EXPECT_NE(kind.error().message.find("did you mean 'verdict_changed'"), std::string::npos)
      << kind.error().message;
  EXPECT_EQ(backend_.history({.event = "nosuch", .limit = 10}).error().code, ErrorCode::NotFound);
  EXPECT_TRUE(backend_.history({.kind = "verdict_changed", .limit = 10}));
}

TEST_F(HostBackendTest, OfALongLifeTheNewestIsExplained) {
  ASSERT_TRUE(theatre_.apply("gala.yaml", R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  changes: [ { config: { document: rules, version: 1, value: {} } } ]
  rollout: { stages: [ { name: all, exposure: 100%, bake: 1h, gated: false } ] }
)"));
  for (int i = 0; i < 5'200; ++i) {
    const EventVerb verb = i % 2 == 0 ? EventVerb::Hold : EventVerb::Resume;
    ASSERT_TRUE(theatre_.command(EventCommand{"gala", verb}));
  }
  ASSERT_TRUE(theatre_.command(EventCommand{"gala", EventVerb::Hold}, "ann", "the last one"));
  const json::object explained = backend_.explain("gala").value().as_object();
  const json::array& decisions = explained.at("decisions").as_array();
  EXPECT_EQ(decisions.size(), 5'000u);
  EXPECT_EQ(get_string(decisions.back().as_object(), "why"), "the last one");
  EXPECT_NE(to_json_text(explained.at("summary")).find("older decisions are not shown"),
            std::string::npos);
}

// A sender whose answer was lost sends it again.
TEST_F(HostBackendTest, EvaluationsOfABatchThatComesAgainCountOnce) {
  ASSERT_TRUE(theatre_.apply("flag.yaml", R"(
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: nobody }
spec: { variants: { open: true }, defaultVariant: open }
)"));
  // Its owner is none of the teams, so that it is listed.
  ASSERT_TRUE(theatre_.apply("team.yaml", R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: team-other, owner: team-other }
spec: { members: [ann] }
)"));
  const TelemetryBatch batch{
      .source = "s",
      .sequence = 1,
      .deltas = {{.metric = "flag.evaluated", .stratum = "door=open", .n = 7}}};
  const Actor game{"games", {"game-server"}};
  EXPECT_EQ(backend_.report(batch, game)->taken, 1);
  EXPECT_TRUE(backend_.report(batch, game)->repeated);
  // And its own, as they were answered.
  const FlagView view = backend_.flags(game);
  const auto answer = view.flags->evaluate("door", {}, {}).answer;
  backend_.answered(*view.flags, {&answer, 1});
  const std::string stale = to_json_text(*backend_.stale_flags(""));
  EXPECT_NE(stale.find(R"("evaluations":"8")"), std::string::npos) << stale;
}

// A token's end is a date: what the wall clock shows counts, not how long the server has run.
TEST_F(HostBackendTest, ATokensEndFollowsTheClockOnTheWallWhenItSteps) {
  const std::string text = "sc_a token's text";
  CreateTokenCommand create{"id-1", "ann", to_hex(sha256(text)), {"viewer"}, {}};
  create.expires = backend_.now() + hours(1);
  ASSERT_TRUE(theatre_.command(create));
  const auto is_known = [&] {
    theatre_.advance(seconds(2));  // The step is seen by a pass, and is then a record.
    return backend_.authenticate(text).has_value();
  };
  EXPECT_TRUE(is_known());
  theatre_.clock.step(hours(2));
  EXPECT_FALSE(is_known());
  theatre_.clock.step(-hours(2));
  EXPECT_TRUE(is_known());
  theatre_.advance(minutes(60));
  EXPECT_FALSE(is_known());
}

constexpr const char* kOpening = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  changes: [ { config: { document: rules, version: 1, value: {} } } ]
  rollout:
    unit: player
    stages:
      - { name: staff, exposure: 100%, audience: { "==": [ { var: group }, staff ] }, bake: 10s, gated: false }
      - { name: half, exposure: 50%, bake: 1h, gated: false }
      - { name: world, exposure: 100%, bake: 1h, gated: false }
)";

class AdmittedPlayersTest : public HostBackendTest {
 protected:
  AdmittedPlayersTest() {
    EXPECT_TRUE(theatre_.apply("gala.yaml", kOpening));
    theatre_.advance(seconds(30));
    EXPECT_EQ(theatre_.world()->event("gala")->stage, 1);
  }
  Result<json::value> ask(json::object request) { return backend_.admitted("gala", request); }
  static json::array players() {
    json::array out{json::object{{"id", "ann"}, {"group", "staff"}}};
    for (int i = 0; i < 100; ++i) out.push_back(json::value(fmt::format("p{}", i)));
    return out;
  }
  std::map<std::int64_t, int> rows_by_visit() {
    std::map<std::int64_t, int> rows;
    EXPECT_TRUE(theatre_.host().ledger().read("gala", 1, [&](const LedgerRow& row) {
      rows[row.visit] += row.source == LedgerSource::Admitted ? 1 : 0;
      return true;
    }));
    return rows;
  }
};

// After the fact, too: the rules of a stage are told by the journal, not by what is in force.
TEST_F(AdmittedPlayersTest, AreThoseOfEachStageAndGetARowOnce) {
  ASSERT_TRUE(theatre_.command(EventCommand{"gala", EventVerb::Rollback}));
  theatre_.advance(seconds(3));
  ASSERT_EQ(theatre_.world()->event("gala")->phase, Phase::RolledBack);
  const auto answer = ask({{"players", players()}});
  ASSERT_TRUE(answer) << answer.error().message;
  const json::object& told = answer->as_object();
  EXPECT_EQ(get_int(told, "asked"), 101);
  const json::array& admitted = told.at("players").as_array();
  EXPECT_EQ(get_int(told, "admitted"), std::int64_t(admitted.size()));
  EXPECT_GT(admitted.size(), 35u);
  EXPECT_LT(admitted.size(), 65u);
  const json::array& of_ann = admitted[0].as_object().at("visits").as_array();
  ASSERT_EQ(of_ann.size(), 2u);
  EXPECT_EQ(get_string(of_ann[0].as_object(), "stage"), "staff");
  const auto rows = rows_by_visit();
  EXPECT_EQ(rows.at(1), 1);
  EXPECT_EQ(rows.at(2), int(admitted.size()));
  ASSERT_TRUE(ask({{"players", players()}}));
  EXPECT_EQ(rows_by_visit(), rows);
  theatre_.advance(seconds(1));
  const LedgerStanding* sealed = theatre_.world()->event("gala")->ledger_of(1);
  ASSERT_NE(sealed, nullptr);
  EXPECT_EQ(sealed->players, std::int64_t(admitted.size()));
}

TEST_F(AdmittedPlayersTest, AreAskedForAsDocumented) {
  EXPECT_EQ(ask({}).error().message,
            "'players' is no list of 1 to 10000 players; send their ids, or objects with an 'id'");
  EXPECT_EQ(ask({{"players", json::array{"p"}}, {"revision", 7}}).error().message,
            "gala has no r7; its newest is r1");
  EXPECT_EQ(backend_.admitted("nosuch", {}).error().code, ErrorCode::NotFound);
}

// Its rows would be all that is left of it, under a new seal.
TEST_F(AdmittedPlayersTest, OfALedgerThatIsNotKeptAnyMoreAreNotTold) {
  ASSERT_TRUE(ask({{"players", players()}}));
  ASSERT_TRUE(theatre_.command(EventCommand{"gala", EventVerb::Rollback}));
  theatre_.advance(seconds(3));
  const std::string root = theatre_.world()->event("gala")->ledger_of(1)->root;
  theatre_.restart(hours(24 * 181));
  HostBackend restarted(&theatre_.host(), &journal_, {"test", "test"});
  EXPECT_EQ(restarted.admitted("gala", {{"players", players()}}).error().code, ErrorCode::Conflict);
  theatre_.advance(seconds(2));
  EXPECT_EQ(theatre_.world()->event("gala")->ledger_of(1)->root, root);
}

}  // namespace
}  // namespace showcaller::test
