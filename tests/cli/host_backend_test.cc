// SPDX-License-Identifier: Apache-2.0
// Who is what at the API: game servers, readers and clients; and that nobody hands out more than he
// has.
#include "cli/host_backend.h"

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
    const auto answer = backend_.allocate(parse_json(body)->as_object());
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

}  // namespace
}  // namespace showcaller::test
