// SPDX-License-Identifier: Apache-2.0
// Kill switches that two places changed apart: however they are merged, off wins until re-opened.
#include "flag/flag_switch.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "flag/flag_set.h"

namespace showcaller {
namespace {

FlagSwitch any_switch() {
  return {.reopened = *rc::gen::inRange(0, 3),
          .off = *rc::gen::arbitrary<bool>(),
          .since = Instant(Duration(*rc::gen::inRange(0, 4))),
          .actor = *rc::gen::element(std::string("ann"), std::string("bob")),
          .reason = *rc::gen::element(std::string(), std::string("lag"))};
}

TEST(FlagSwitch, MergingKnowsNoOrder) {
  EXPECT_TRUE(rc::check("merging is commutative, associative and idempotent", [] {
    const FlagSwitch a = any_switch(), b = any_switch(), c = any_switch();
    RC_ASSERT(merged(a, b) == merged(b, a));
    RC_ASSERT(merged(merged(a, b), c) == merged(a, merged(b, c)));
    RC_ASSERT(merged(a, a) == a);
    RC_ASSERT(merged(merged(a, b), b) == merged(a, b));
  }));
}

TEST(FlagSwitch, OffWinsUntilReopened) {
  const FlagSwitch on{}, off{.off = true}, opened{.reopened = 1};
  EXPECT_TRUE(merged(on, off).off);
  EXPECT_FALSE(merged(off, opened).off);
  // Elsewhere it was killed once more, by who had not heard of the re-opening.
  EXPECT_FALSE(merged(opened, {.off = true, .since = Instant(Duration(9))}).off);
  EXPECT_TRUE(merged(opened, {.reopened = 1, .off = true}).off);
}

TEST(FlagSwitch, AKilledFlagIsAPlainFlagThatGivesOneVariant) {
  const json::object flag = parse_json(R"({"state":"DISABLED","variants":{"open":1,"shut":0},
    "defaultVariant":"open","targeting":{"if":[true,"open"]},"metadata":{"team":"raids"}})")
                                .value()
                                .as_object();
  const FlagSwitch by{.off = true, .actor = "ann", .reason = "lag"};
  const auto answer = [&](std::string_view off) {
    json::object flags{{"door", killed_flag(flag, off, by)}};
    const FlagSet set = FlagSet::compile(json::object{{"flags", std::move(flags)}}).value();
    const Evaluation given = set.evaluate("door", EvaluationContext(), {});
    EXPECT_TRUE(given.metadata->contains("team"));
    EXPECT_EQ(given.metadata->at("killedReason"), "lag");
    return given.value ? std::string(given.variant) : "-";
  };
  EXPECT_EQ(answer("shut"), "shut");
  EXPECT_EQ(answer(""), "-");
}

}  // namespace
}  // namespace showcaller
