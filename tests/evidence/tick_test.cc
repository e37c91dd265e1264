// SPDX-License-Identifier: Apache-2.0
// Ticks: round trips, merging in any order, and errors that name the field.
#include "evidence/tick.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

const TickShape kShape{{{"error", 2, false}, {"latency", 3, true}}};

Tick random_tick(Random* random, std::int64_t t_s) {
  Tick tick;
  tick.t_s = t_s;
  for (int i = 0; i < int(random->below(8)); ++i) {
    GroupCounts g;
    g.arm = Arm(random->below(2));
    g.id = std::to_string(random->below(4));
    g.stratum = random->chance(0.3) ? "eu" : "";
    const auto n = std::int64_t(random->below(1000));
    const auto above = std::int64_t(random->below(std::uint64_t(n) + 1));
    g.counts = {n, std::int64_t(random->below(9)), n, above, above / 2};
    tick.groups.push_back(std::move(g));
  }
  if (random->chance(0.5)) tick.units.push_back({std::int64_t(random->below(99)), 7, ""});
  if (random->chance(0.3)) tick.units.push_back({1, 2, "eu"});
  return tick;
}

TEST(Tick, RoundTripsThroughJsonAndBytes) {
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const Tick tick = random_tick(&random, std::int64_t(i) * 10 - 50);
    const std::string text = to_json_text(tick, kShape);
    EXPECT_EQ(tick_from_json(parse_json(text).value(), kShape).value(), tick) << text;
    EXPECT_EQ(tick_from_bytes(to_bytes(tick)).value(), tick);
  }
}

TEST(Tick, IsWrittenAsText) {
  Tick tick;
  tick.t_s = 10;
  tick.units.push_back({252, 4750, ""});
  tick.groups.push_back({Arm::Canary, "3", "", {50, 1, 0, 0, 0}});
  tick.groups.push_back({Arm::Baseline, "a\"b", "eu", {9, 0, 9, 4, 2}});
  tick.groups.push_back({Arm::Baseline, "idle", "", {0, 0, 0, 0, 0}});
  EXPECT_EQ(to_json_text(tick, kShape),
            R"({"t":10,"units":{"canary":252,"baseline":4750},"groups":[)"
            R"({"arm":"canary","id":"3","m":{"error":[50,1]}},)"
            R"({"arm":"baseline","id":"a\"b","stratum":"eu",)"
            R"("m":{"error":[9,0],"latency":[9,4,2]}},)"
            R"({"arm":"baseline","id":"idle","m":{}}]})");
  tick.units.push_back({1, 2, "eu"});
  tick.groups.clear();
  EXPECT_EQ(to_json_text(tick, kShape),
            R"({"t":10,"units":[{"stratum":"","canary":252,"baseline":4750},)"
            R"({"stratum":"eu","canary":1,"baseline":2}],"groups":[]})");
}

TEST(Tick, MergesInAnyOrder) {
  Random random(2);
  for (int i = 0; i < 200; ++i) {
    std::vector<Tick> parts;
    for (int p = 0; p < 5; ++p) parts.push_back(random_tick(&random, 10));
    const auto merged = [&] {
      Tick sum;
      sum.t_s = 10;
      for (const Tick& part : parts) merge(&sum, part);
      return sum;
    };
    const Tick forward = merged();
    std::reverse(parts.begin(), parts.end());
    EXPECT_EQ(to_bytes(merged()), to_bytes(forward));
  }
}

TEST(Tick, TruncatedOrAlteredBytesAreNeverAccepted) {
  Random random(3);
  const std::string bytes = to_bytes(random_tick(&random, 10));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_FALSE(tick_from_bytes(bytes.substr(0, i))) << i;
  EXPECT_FALSE(tick_from_bytes(bytes + "x"));
  EXPECT_EQ(tick_from_bytes("\x02").error().code, ErrorCode::Unsupported);
}

TEST(Tick, ErrorsNameTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([])", "a tick is an object"},
      {R"({"groups":[]})", "t is missing"},
      {R"({"t":"x"})", "t is \"x\"; a whole number"},
      {R"({"t":1.5})", "t is 1.5; a whole number"},
      {R"({"t":1,"units":{"canary":-1}})", "units.canary is -1; at least 0"},
      {R"({"t":1,"units":3})", "units is not an object"},
      {R"({"t":1,"groups":{}})", "groups is not an array"},
      {R"({"t":1,"groups":[3]})", "groups[0] is not an object"},
      {R"({"t":1,"groups":[{"arm":"kanary","id":"1","m":{}}]})", "groups[0].arm is \"kanary\""},
      {R"({"t":1,"groups":[{"arm":"canary","m":{}}]})", "groups[0].id is missing"},
      {R"({"t":1,"groups":[{"arm":"canary","id":"1"}]})", "groups[0].m is not an object"},
      {R"({"t":1,"groups":[{"arm":"canary","id":"1","m":{"error":[1]}}]})",
       "groups[0].m.error has 1 counts; 2 were"},
      {R"({"t":1,"groups":[{"arm":"canary","id":"1","m":{"error":[1,"2"]}}]})",
       "groups[0].m.error[1] is \"2\""},
      {R"({"t":1,"groups":[{"arm":"canary","id":"1","m":{"error":[1,-2]}}]})",
       "groups[0].m.error[1] is -2"},
      {R"({"t":1,"groups":[{"arm":"canary","id":"1","m":{"latency":[5,2,3]}}]})",
       "groups[0].m.latency[2] is 3, more"},
      {R"({"t":1,"groups":[{"arm":"canary","id":"1","m":{"latency":[5,6,3]}}]})",
       "groups[0].m.latency[1] is 6, more"},
      {R"({"t":1,"groups":[{"arm":"canary","id":"1","m":{"error":[18446744073709551615,0]}}]})",
       "beyond 2^53"},
  };
  for (const auto& [text, message] : cases) {
    const auto tick = tick_from_json(parse_json(text).value(), kShape);
    ASSERT_FALSE(tick) << text;
    EXPECT_NE(tick.error().message.find(message), std::string::npos) << text << "\n"
                                                                     << tick.error().message;
  }
}

// A session may end in an error ticks after it began, so a tick may have more events than
// exposures.
TEST(Tick, EventsMayOutnumberTheExposuresOfTheirTick) {
  const auto tick = tick_from_json(
      parse_json(R"({"t":1,"groups":[{"arm":"canary","id":7,"m":{"error":[1,3],"other":[1]}}]})")
          .value(),
      kShape);
  ASSERT_TRUE(tick);
  EXPECT_EQ(tick->groups[0].id, "7");
  EXPECT_EQ(tick->groups[0].counts, (std::vector<std::int64_t>{1, 3, 0, 0, 0}));
}

}  // namespace
}  // namespace showcaller
