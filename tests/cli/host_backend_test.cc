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

TEST_F(HostBackendTest, NoTokenIsNamedLikeTheEngine) {
  EXPECT_EQ(mint({"admin"}, "engine", {"viewer"}).error().code, ErrorCode::Invalid);
}

}  // namespace
}  // namespace showcaller::test
