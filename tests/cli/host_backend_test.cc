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

}  // namespace
}  // namespace showcaller::test
