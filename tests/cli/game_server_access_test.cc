// SPDX-License-Identifier: Apache-2.0
// What game servers are told of the server that starts them.
#include "cli/serve/game_server_access.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

class KeepingDriver final : public FleetDriver {
 public:
  Result<std::vector<ObservedInstance>> observe() override { return {}; }
  std::uint64_t epoch() const override { return 0; }
  Status apply(std::uint64_t, std::span<const FleetAction> actions) override {
    for (const FleetAction& action : actions)
      if (const auto* start = std::get_if<StartInstance>(&action)) environment = start->spec.env;
    return {};
  }
  Status disturb(std::uint64_t, const DisturbInstance&) override { return {}; }
  void allocate(const AllocateInstance&) override {}

  decltype(InstanceSpec::env) environment;
};

TEST(GameServerAccess, TheyGetAddressTokenAndAuthority) {
  KeepingDriver driver;
  GameServerAccess access(&driver);
  access.give({"https://127.0.0.1:1", "sc_1", "/ca.pem"});
  StartInstance start;
  start.spec.env = {{"SHOWCALLER_TOKEN", "their own"}};
  const std::vector<FleetAction> actions{start};
  ASSERT_TRUE(access.apply(1, actions));
  EXPECT_EQ(driver.environment,
            (decltype(driver.environment){{"SHOWCALLER_URL", "https://127.0.0.1:1"},
                                          {"SHOWCALLER_TOKEN", "their own"},
                                          {"SHOWCALLER_CA", "/ca.pem"}}));
}

TEST(GameServerAccess, ClearTextThatOthersCanReachIsWarnedOf) {
  struct Row {
    std::string_view address;
    bool has_tls, warned;
  };
  for (const Row& row :
       {Row{"0.0.0.0", false, true}, Row{"192.168.0.7", false, true}, Row{"::", false, true},
        Row{"0.0.0.0", true, false}, Row{"127.0.0.1", false, false}, Row{"127.9.9.9", false, false},
        Row{"::1", false, false}}) {
    EXPECT_EQ(!clear_text_warning(row.address, row.has_tls).empty(), row.warned) << row.address;
  }
}

// http://0.0.0.0 is nobody's address.
TEST(GameServerAccess, AnyAddressIsReachedOnThisMachine) {
  EXPECT_EQ(url_on_this_machine("http://0.0.0.0:8700"), "http://127.0.0.1:8700");
  EXPECT_EQ(url_on_this_machine("https://[::]:8700"), "https://[::1]:8700");
  EXPECT_EQ(url_on_this_machine("http://10.0.0.7:8700"), "http://10.0.0.7:8700");
  EXPECT_TRUE(is_loopback("127.0.0.1"));
  EXPECT_FALSE(is_loopback("0.0.0.0"));
}

}  // namespace
}  // namespace showcaller
