// SPDX-License-Identifier: Apache-2.0
// Kill switches at places that are cut off from one another now and then: once all have heard of
// all, all show the same, and nothing that was killed is open but by a re-opening that knew of it.
#include "flag/flag_switchboard.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace showcaller {
namespace {

FlagSwitch by(std::string actor, int at_s, std::string reason = "") {
  return {.since = instant_ms(at_s * 1000), .actor = std::move(actor), .reason = std::move(reason)};
}

TEST(FlagSwitchboard, OffWinsUntilSomebodyReopens) {
  FlagSwitchboard here, above;
  EXPECT_TRUE(here.kill("door", by("ann", 1)).off);
  for (const FlagMoves& moves : here.untold()) EXPECT_TRUE(above.hear_from_below(moves));
  EXPECT_TRUE(above.of("door").off);
  EXPECT_FALSE(above.reopen("door", by("bob", 2)).off);
  EXPECT_TRUE(here.hear_from_above("door", above.of("door")));
  EXPECT_FALSE(here.of("door").off);
  // What is told again changes nothing.
  for (const FlagMoves& moves : here.untold()) EXPECT_FALSE(above.hear_from_below(moves));
  EXPECT_FALSE(above.of("door").off);
}

TEST(FlagSwitchboard, MovesWaitUntilTheyAreTold) {
  FlagSwitchboard here;
  here.kill("door", by("ann", 1, "lag"));
  here.reopen("door", by("ann", 2));
  here.kill("door", by("bob", 3));
  here.kill("door", by("bob", 4));  // It is off already.
  const auto untold = here.untold();
  ASSERT_EQ(untold.size(), 1u);
  EXPECT_EQ(untold[0].moves.size(), 3u);
  here.reopen("door", by("ann", 5));
  here.told(untold);
  ASSERT_EQ(here.untold().size(), 1u);
  EXPECT_EQ(here.untold()[0].moves.size(), 1u);
  here.told(here.untold());
  EXPECT_TRUE(here.untold().empty());
}

TEST(FlagSwitchboard, IsReadBackAsItWas) {
  FlagSwitchboard here;
  here.kill("door", by("ann", 1, "lag"));
  here.reopen("bell", by("ann", 1));
  here.hear_from_above("bell", {.reopened = 4, .off = true, .actor = "bob"});
  const auto again = FlagSwitchboard::from_json(here.to_json());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, here);
  EXPECT_FALSE(moves_from_json(*parse_json(R"([{"flag":"a","moves":[{"off":true}]}])")));
  EXPECT_FALSE(moves_from_json(*parse_json(R"([{"flag":"","moves":[]}])")));
}

TEST(FlagSwitchboard, MovesThatWaitAreBounded) {
  FlagSwitchboard here;
  for (int i = 0; i < 3'000; ++i) {
    here.kill("door", by("ann", i));
    here.reopen("door", by("ann", i));
  }
  EXPECT_EQ(here.untold()[0].moves.size(), FlagSwitchboard::kUntoldMax);
  EXPECT_EQ(here.of("door").reopened, 3'000);
}

// A server, two relays at it and one at the first of these. Lines come and go; moves are told in
// any order and more than once; places start again from what they had on disk.
TEST(FlagSwitchboard, AllPlacesShowTheSameOnceAllHaveHeardOfAll) {
  EXPECT_TRUE(rc::check("switchboards converge, and off wins", [] {
    const std::vector<std::pair<int, int>> lines{{1, 0}, {2, 0}, {3, 1}};  // below, above
    std::vector<FlagSwitchboard> places(4);
    std::map<std::string, FlagSwitch> greatest;
    const auto talk = [&](std::pair<int, int> line, bool answer_is_lost) {
      auto& below = places[std::size_t(line.first)];
      auto& above = places[std::size_t(line.second)];
      const auto moves = below.untold();
      for (auto each = moves.rbegin(); each != moves.rend(); ++each) above.hear_from_below(*each);
      if (line.second == 0) above.told(above.untold());  // The journal has them.
      if (answer_is_lost) return;
      below.told(moves);
      for (const auto& [flag, there] : above.all()) below.hear_from_above(flag, there);
    };
    const int steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      auto& place = places[*rc::gen::inRange<std::size_t>(0, 4)];
      const std::string flag = *rc::gen::element(std::string("door"), std::string("bell"));
      const FlagSwitch who =
          by(*rc::gen::element(std::string("ann"), std::string("bob")), *rc::gen::inRange(0, 5));
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
          greatest[flag] = merged(greatest[flag], place.kill(flag, who));
          break;
        case 1:
          greatest[flag] = merged(greatest[flag], place.reopen(flag, who));
          break;
        case 2:
          place = *FlagSwitchboard::from_json(place.to_json());
          break;
        default:
          talk(lines[*rc::gen::inRange<std::size_t>(0, 3)], *rc::gen::arbitrary<bool>());
      }
    }
    for (int round = 0; round < 3; ++round) {
      for (const auto& line : lines) talk(line, false);
    }
    for (const auto& [flag, want] : greatest) {
      for (const FlagSwitchboard& place : places) RC_ASSERT(place.of(flag) == want);
    }
    for (const FlagSwitchboard& place : places) RC_ASSERT(place.untold().empty());
  }));
}

}  // namespace
}  // namespace showcaller
