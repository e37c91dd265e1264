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

TEST(AllocationDesk, AGameServerIsToldTheTraceOfWhoAskedForItsSession) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("fleet.yaml", fleet_manifest()));
  theatre.advance(seconds(20));
  AllocationRequest request;
  request.session = "s1";
  request.fleet = "raid";
  request.players = {{"ann", {}}};
  request.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  request.tracestate = "congo=1";
  const auto answer = theatre.host().allocate(request);
  ASSERT_TRUE(answer);
  const auto& told = theatre.driver.instances().at(answer->instance).annotations;
  EXPECT_EQ(told.at(std::string(kTraceparentAnnotation)), request.traceparent);
  EXPECT_EQ(told.at(std::string(kTracestateAnnotation)), request.tracestate);
}

}  // namespace
}  // namespace showcaller::test
