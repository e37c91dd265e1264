// SPDX-License-Identifier: Apache-2.0
// The arms of a session as the one line that a game server's label carries.
#include "model/arm_assignment.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

TEST(ArmAssignment, IsReadAsItIsWritten) {
  const std::vector<ArmAssignment> arms{{"winter", 3, 5, Arm::Canary, true, false},
                                        {"autumn", 1, 2, Arm::Baseline, false, true},
                                        {"spring", 1, 1, Arm::Baseline, false, false}};
  EXPECT_EQ(arms_to_text(arms),
            "winter:3:5:canary:counted,autumn:1:2:baseline:spilled,spring:1:1:baseline");
  EXPECT_EQ(arms_from_text(arms_to_text(arms)), arms);
  EXPECT_TRUE(arms_from_text("").empty());
  EXPECT_TRUE(arms_from_text("x,::,a:b:c:canary,a:1:2:purple").empty());
}

}  // namespace
}  // namespace showcaller
