// SPDX-License-Identifier: Apache-2.0
// Evaluating takes no memory but the stack's.
#include <gtest/gtest.h>

#include "flag/flag_set.h"
#include "tests/counted_allocations.h"

namespace showcaller {
namespace {

using test::allocations;

constexpr Instant kCostTime = instant_ms(1'760'000'000'000);

const char* kCostFlags =
    R"({"$evaluators":{"new-client":{"sem_ver":[{"var":"version"},">=","1.4.0"]}},
  "flags":{
  "plain":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"},
  "off":{"state":"DISABLED","variants":{"on":true},"defaultVariant":"on"},
  "broken":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on","targeting":{"sqrt":[4]}},
  "rollout":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
    "targeting":{"fractional":[["on",25],["off",75]]}},
  "salted":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
    "targeting":{"fractional":[{"cat":["salt-",{"var":"account.party"}]},["on",25],["off",75]]}},
  "gated":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
    "targeting":{"if":[{"and":[{"in":[{"var":"region"},["eu","us","ap"]]},{">=":[{"var":"level"},20]},
      {"$ref":"new-client"},{"!":[{"starts_with":[{"var":"targetingKey"},"bot-"]}]}]},
      {"fractional":[["on",10],["off",90]]},"off"]}},
  "chain":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
    "targeting":{"if":[{"==":[{"var":"region"},"a"]},"off",{"==":[{"var":"region"},"b"]},"off",
      {"==":[{"var":"region"},"c"]},"off",{"==":[{"var":"region"},"eu"]},"on",null]}},
  "computed":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
    "targeting":{"if":[{">":[{"+":[{"var":"level"},{"var":"rank"}]},{"max":[1,2]}]},
      {"if":[{"in":["x",{"merge":[["a"],{"var":"region"}]}]},"on","off"]},null]}}}})";

TEST(EvaluationCost, NothingIsAllocated) {
  const auto set = FlagSet::parse(kCostFlags);
  ASSERT_TRUE(set);
  const json::value account{{"party", "party-55120"}};
  EvaluationContext client;
  client.set("region", "eu").set("version", "1.4.2").set("account", account);
  const long before_context = allocations;
  EvaluationContext context;
  context.set_targeting_key("player-812736").set("level", 37.0).set("beta", true);
  context.set_parent(&client);
  EXPECT_EQ(allocations, before_context);
  const InternedContext interned = set->intern(context);
  for (std::size_t i = 0; i < set->size(); ++i) {
    const std::string_view key = set->key(i);
    const long before = allocations;
    const Evaluation by_key = set->evaluate(key, context, kCostTime);
    const Evaluation typed = set->evaluate(key, context, kCostTime, FlagType::Boolean);
    const Evaluation by_handle = set->evaluate(set->handle(key), interned, kCostTime);
    EXPECT_EQ(allocations, before) << key;
    EXPECT_EQ(by_key.variant, by_handle.variant) << key;
    EXPECT_EQ(by_key.reason, by_handle.reason) << key;
    EXPECT_EQ(by_key.value, typed.value) << key;
  }
  const long before = allocations;
  EXPECT_EQ(set->evaluate("absent", context, kCostTime).error, FlagError::FlagNotFound);
  EXPECT_EQ(set->evaluate(set->handle("absent"), interned, kCostTime).error,
            FlagError::FlagNotFound);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace showcaller
