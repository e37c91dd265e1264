// SPDX-License-Identifier: Apache-2.0
// Allocation through the host: what a client may count on when it repeats itself.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

std::string fleet_manifest() {
  std::ifstream file(std::string(SHOWCALLER_SOURCE_DIR) +
                     "/tests/host/conversations/manifests/fleet.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

int allocated(const Theatre& theatre) {
  int count = 0;
  for (const auto& [id, instance] : theatre.driver.instances())
    count += instance.state == InstanceState::Allocated;
  return count;
}

TEST(AllocationDesk, ARepetitionReachesADriverThatLostTheFirst) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("fleet.yaml", fleet_manifest()));
  theatre.advance(seconds(20));
  theatre.driver.lost_allocations = 1;
  AllocationRequest request;
  request.session = "s1";
  request.fleet = "raid";
  request.players = {{"ann", {}}};
  const auto first = theatre.host().allocate(request);
  ASSERT_TRUE(first);
  EXPECT_EQ(allocated(theatre), 0);
  const auto second = theatre.host().allocate(request);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->repeated);
  EXPECT_EQ(second->instance, first->instance);
  EXPECT_EQ(allocated(theatre), 1);
  ASSERT_TRUE(theatre.host().allocate(request));
  EXPECT_EQ(allocated(theatre), 1);
}

}  // namespace
}  // namespace showcaller::test
