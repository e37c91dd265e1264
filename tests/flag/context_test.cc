// SPDX-License-Identifier: Apache-2.0
#include "flag/context.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

std::vector<std::string> names(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) out.push_back("attribute-" + std::to_string(i));
  return out;
}

TEST(EvaluationContext, WhatWasSetLastIsWhatThereIs) {
  EvaluationContext context;
  context.set("tier", "free").set("level", 7.0).set("tier", "gold");
  EXPECT_EQ(context.find("tier").as_string(), "gold");
  EXPECT_EQ(context.find("level").as_number(), 7);
  EXPECT_TRUE(context.find("absent").is(ValueKind::Undefined));
  EXPECT_TRUE(context.find("").is(ValueKind::Undefined));
  EXPECT_EQ(to_canonical_json_text(context.to_json()), R"({"level":7,"tier":"gold"})");
}

TEST(EvaluationContext, HoldsMoreThanFitsInPlace) {
  const auto keys = names(100);
  EvaluationContext context;
  for (int i = 0; i < 100; ++i) context.set(keys[std::size_t(i)], double(i));
  const EvaluationContext copy = context;
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(copy.find(keys[std::size_t(i)]).as_number(), double(i)) << i;
  // Set again, they are replaced wherever they are.
  for (int i = 0; i < 100; ++i) context.set(keys[std::size_t(i)], double(-i));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(context.find(keys[std::size_t(i)]).as_number(), double(-i)) << i;
  EXPECT_EQ(context.to_json().size(), 100u);
}

// Names whose tags are alike are told apart by their text.
TEST(EvaluationContext, NamesOfEveryKindAreFound) {
  for (int first = 0; first < 2'000; first += 16) {
    std::vector<std::string> keys;
    EvaluationContext context;
    for (int i = 0; i < 16; ++i) keys.push_back(std::to_string(first + i) + "-name");
    for (int i = 0; i < 16; ++i) context.set(keys[std::size_t(i)], double(i));
    for (int i = 0; i < 16; ++i)
      EXPECT_EQ(context.find(keys[std::size_t(i)]).as_number(), double(i)) << keys[std::size_t(i)];
  }
}

TEST(EvaluationContext, TheNearestLayerWins) {
  EvaluationContext global, client, call;
  global.set("a", 1.0).set("b", 1.0).set("c", 1.0);
  client.set("b", 2.0).set("c", 2.0);
  call.set("c", 3.0);
  const EvaluationContext below = EvaluationContext::layered(&client, &global);
  const EvaluationContext all = EvaluationContext::layered(&call, &below);
  EXPECT_EQ(all.find("a").as_number(), 1);
  EXPECT_EQ(all.find("b").as_number(), 2);
  EXPECT_EQ(all.find("c").as_number(), 3);
}

TEST(EvaluationContext, TheTargetingKeyIsAnAttributeLikeAnother) {
  const json::object attributes{{"targetingKey", "of JSON"}};
  EvaluationContext global, client{attributes}, call;
  EXPECT_TRUE(call.find_targeting_key().is(ValueKind::Undefined));
  global.set("targetingKey", "global");
  const EvaluationContext below = EvaluationContext::layered(&client, &global);
  const EvaluationContext all = EvaluationContext::layered(&call, &below);
  EXPECT_EQ(all.find("targetingKey").as_string(), "of JSON");
  call.set(std::string_view("targetingKey and more").substr(0, 12), "first");
  call.set_targeting_key("last").set("targetingKeys", 1.0);
  EXPECT_EQ(all.find_targeting_key().as_string(), "last");
  EXPECT_EQ(all.find("targetingKey").as_string(), "last");
  EXPECT_EQ(EvaluationContext(call).find("targetingKey").as_string(), "last");
  EXPECT_EQ(to_canonical_json_text(all.to_json()), R"({"targetingKey":"last","targetingKeys":1})");
}

}  // namespace
}  // namespace showcaller
