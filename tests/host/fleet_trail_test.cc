// SPDX-License-Identifier: Apache-2.0
// What a fleet was like this hour, and its map.
#include "host/fleet_trail.h"

#include <gtest/gtest.h>

#include "engine/fleet_map.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

FleetView trail_view(std::int64_t sessions) {
  FleetView view;
  view.fleet = "raid";
  view.rows.push_back({.build = "1", .region = "eu", .sessions = sessions, .free_sessions = 10});
  return view;
}

TEST(FleetTrail, KeepsAnHourAndNoMore) {
  FleetTrail trail;
  Instant at = instant_ms(1'000'000);
  EXPECT_TRUE(trail.is_due("raid", at));
  for (std::size_t i = 0; i < kTrailLooks + 5; ++i, at += kTrailEvery)
    trail.add(trail_view(std::int64_t(i)), at);
  const FleetLooks looks = trail.of("raid");
  EXPECT_EQ(looks.size(), kTrailLooks);
  EXPECT_EQ(looks.front().total.sessions, 5);
  EXPECT_FALSE(trail.is_due("raid", at - seconds(1)));
  EXPECT_TRUE(trail.is_due("raid", at));
  EXPECT_TRUE(trail.of("other").empty());
}

TEST(FleetTrail, AClockThatWentBackForgetsWhatWasNot) {
  FleetTrail trail;
  const Instant at = instant_ms(10'000'000);
  trail.add(trail_view(1), at);
  trail.add(trail_view(2), at + hours(1));
  EXPECT_TRUE(trail.is_due("raid", at + minutes(1)));
  trail.add(trail_view(3), at + minutes(1));
  const FleetLooks looks = trail.of("raid");
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_EQ(looks.back().total.sessions, 3);
}

TEST(FleetMap, HasEachInstanceWithItsCulprit) {
  Theatre theatre;
  ASSERT_TRUE(theatre.apply("fleet.yaml", R"(
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: ops }
spec:
  builds: [ { version: 1.0.0, command: [x] } ]
  regions: [ { name: eu, hosts: [h1, h2] }, { name: us } ]
  capacity: { min: 4, max: 10 }
)"));
  theatre.traffic.sessions_per_s = 1;
  theatre.advance(seconds(30));
  ASSERT_TRUE(
      theatre.command(QuarantineCommand{false, QuarantineScope::Host, "raid", "h1"}, "ann", "hot"));
  theatre.advance(seconds(5));
  std::vector<ObservedInstance> observed;
  for (const FleetPass& pass : theatre.host().fleets()) observed = *pass.instances;
  const json::object map =
      fleet_map_view(*theatre.world(), "raid", observed, theatre.host().engine().now());
  const json::object& columns = map.at("instances").as_object();
  const std::size_t n = columns.at("id").as_array().size();
  EXPECT_GE(n, 8u);
  for (const auto& column : columns) EXPECT_EQ(column.value().as_array().size(), n);
  const json::array& hosts = map.at("hosts").as_array();
  std::size_t isolated = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const bool on_h1 =
        hosts.at(std::size_t(columns.at("host").as_array().at(i).as_int64())) == "h1";
    EXPECT_EQ(columns.at("quarantine").as_array().at(i).as_int64() >= 0, on_h1) << i;
    isolated += on_h1;
  }
  EXPECT_GT(isolated, 0u);
  EXPECT_EQ(get_string(map.at("quarantines").as_array().at(0).as_object(), "reason"), "hot");
  // Looks are taken as the host passes by.
  EXPECT_GE(theatre.host().trail_of("raid").size(), 3u);
}

}  // namespace
}  // namespace showcaller::test
