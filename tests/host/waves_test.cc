// SPDX-License-Identifier: Apache-2.0
// Doors in a schedule of local times: zone by zone, or everywhere at once.
#include <gtest/gtest.h>

#include "model/exposure.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kWavesFleet = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: ops }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: ops }
spec:
  builds: [ { version: 1, command: [x] }, { version: 2, command: [x] } ]
  regions: [ { name: eu, zone: Europe/Berlin }, { name: us, zone: America/New_York } ]
)";

// The curtain rises at 12:00Z; 13:30 is 12:30Z in Berlin and 18:30Z in New York.
std::vector<IntakeChanged> doors_of(const std::string& intake) {
  Theatre theatre;
  EXPECT_TRUE(theatre.apply("fleet.yaml", kWavesFleet));
  const auto applied = theatre.apply("gala.yaml", R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  schedule: { zone: local, start: 2026-12-01T13:30 }
  changes: [ { build: { fleet: raid, version: 2 } } ]
  rollout: { begin: 10h before start, stages: [ { name: all, exposure: 100%, bake: 1m, gated: false } ] }
  intake: )" + intake);
  EXPECT_TRUE(applied) << applied.error().message;
  (void)theatre.take_records();
  theatre.advance(minutes(31));
  std::vector<IntakeChanged> out;
  for (const Record& record : theatre.take_records()) {
    if (const auto* changed = std::get_if<IntakeChanged>(&record.payload)) out.push_back(*changed);
  }
  return out;
}

TEST(Waves, ByZoneUnlessSaidOtherwise) {
  const auto doors = doors_of("{}\n");
  ASSERT_EQ(doors.size(), 2u);
  EXPECT_EQ(doors[0].to, IntakeState::Proving);
  EXPECT_EQ(doors[1].to, IntakeState::Open);
  EXPECT_EQ(doors[1].region, "eu");
}

TEST(Waves, NoneOpensEverywhereAtTheEarliestStart) {
  const auto doors = doors_of("{ waves: none }\n");
  ASSERT_EQ(doors.size(), 2u);
  EXPECT_EQ(doors[1].to, IntakeState::Open);
  EXPECT_EQ(doors[1].region, "");
}

// Berlin's end is six hours before New York's, which is the event's.
TEST(Waves, EachRegionClosesAtItsOwnEnd) {
  Theatre theatre;
  EXPECT_TRUE(theatre.apply("fleet.yaml", kWavesFleet));
  const auto applied = theatre.apply("gala.yaml", R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: ops }
spec:
  schedule: { zone: local, start: 2026-12-01T07:10, end: 2026-12-01T13:30 }
  changes: [ { build: { fleet: raid, version: 2 } } ]
  rollout: { stages: [ { name: all, exposure: 100%, bake: 1m, gated: false } ] }
)");
  EXPECT_TRUE(applied) << applied.error().message;
  theatre.advance(minutes(20));
  EXPECT_TRUE(doors_are_open(*theatre.world()->event("gala"), "eu"));
  EXPECT_TRUE(doors_are_open(*theatre.world()->event("gala"), "us"));
  theatre.advance(minutes(11));
  const EventState& gala = *theatre.world()->event("gala");
  EXPECT_EQ(gala.phase, Phase::Live);
  EXPECT_FALSE(doors_are_open(gala, "eu"));
  EXPECT_TRUE(doors_are_open(gala, "us"));
  EXPECT_EQ(planned_share_ppm(gala, 0, "eu"), 0);
  EXPECT_EQ(planned_share_ppm(gala, 0, "us"), kPpmWhole);
  theatre.advance(hours(6));
  EXPECT_EQ(theatre.world()->event("gala")->intake, IntakeState::Closed);
}

}  // namespace
}  // namespace showcaller::test
