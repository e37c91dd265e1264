// SPDX-License-Identifier: Apache-2.0
#include "codec/flag_delta.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller {
namespace {

json::object object_of(std::string_view text) {
  return parse_json(text)->as_object();
}

const char* kBefore =
    R"({"flags":{"a":{"variants":{"x":1},"defaultVariant":"x"},"b":{"variants":{"y":2}}},
  "$evaluators":{"staff":{"==":[1,1]}},"metadata":{"set":"old"}})";

TEST(FlagDelta, TellsWholeDefinitionsOfWhatChangedAlone) {
  const auto after = object_of(
      R"({"flags":{"a":{"variants":{"x":1},"defaultVariant":null},"c":{"variants":{}}},"metadata":{"set":"new"}})");
  const json::object patch = flag_patch(object_of(kBefore), after);
  EXPECT_EQ(
      json::value(patch),
      *parse_json(
          R"({"$evaluators":null,"flags":{"b":null,"a":{"variants":{"x":1},"defaultVariant":null},
              "c":{"variants":{}}},"metadata":{"set":"new"}})"));
  const auto delta = decode_flag_delta(encode_flag_delta({"r1", patch}));
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->from, "r1");
  json::object document = object_of(kBefore);
  ASSERT_TRUE(apply_flag_patch(&document, delta->patch));
  EXPECT_EQ(document, after);
}

TEST(FlagDelta, APatchThatIsNoneChangesNothing) {
  json::object document = object_of(kBefore);
  EXPECT_FALSE(apply_flag_patch(&document, object_of(R"({"metadata":null,"flags":7})")));
  EXPECT_EQ(document, object_of(kBefore));
  EXPECT_FALSE(decode_flag_delta("{}"));
  EXPECT_FALSE(decode_flag_delta("x"));
}

// patch(a, b) applied to a gives b, whatever lies in them.
TEST(FlagDelta, APatchLeadsFromAnyDocumentToAnyOther) {
  Random random(7);
  const auto any_document = [&] {
    json::object out;
    for (const char* member : {"flags", "$evaluators", "metadata", "$schema"}) {
      if (random.below(4) == 0) continue;
      json::object entries;
      for (const char* key : {"a", "b", "c", "d"}) {
        if (random.below(2) == 0)
          entries.emplace(key, json::object{{"v", random.below(3)}, {"defaultVariant", nullptr}});
      }
      out.emplace(member, std::move(entries));
    }
    return out;
  };
  for (int i = 0; i < 2'000; ++i) {
    json::object before = any_document();
    const json::object after = any_document();
    ASSERT_TRUE(apply_flag_patch(&before, flag_patch(before, after)));
    ASSERT_EQ(before, after);
  }
  int joined = 0;
  for (int i = 0; i < 2'000; ++i) {
    json::object first = any_document();
    const json::object second = any_document(), third = any_document();
    json::object patch = flag_patch(first, second);
    if (!join_flag_patches(&patch, flag_patch(second, third))) continue;
    ASSERT_TRUE(apply_flag_patch(&first, patch));
    ASSERT_EQ(first, third);
    ++joined;
  }
  EXPECT_GT(joined, 1'000);
}

TEST(FlagDelta, DecidedFlagsAnswerAsTheRulesDidAndShowNone) {
  const FlagSet rules = *FlagSet::parse(R"({"flags":{
    "match":{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"==":[{"var":"group"},"staff"]},"on",null]}},
    "fixed":{"variants":{"on":{"deep":[1]}},"defaultVariant":"on","metadata":{"team":"raids"}},
    "own":{"variants":{"on":1}},
    "off":{"state":"DISABLED","variants":{"on":1},"defaultVariant":"on"},
    "wrong":{"variants":{"on":1},"defaultVariant":"on","targeting":{"if":[true,"nowhere"]}}}})");
  const json::object staff{{"group", "staff"}}, player{{"group", "player"}};
  for (const json::object& attributes : {staff, player}) {
    const EvaluationContext who(attributes);
    json::object document;
    json::object& flags = document["flags"].emplace_object();
    for (std::size_t i = 0; i < rules.size(); ++i)
      flags.emplace(rules.key(i), decided_flag(rules.evaluate(rules.key(i), who, instant_ms(0))));
    EXPECT_EQ(to_json_text(document).find("group"), std::string::npos);
    const auto decided = FlagSet::compile(document);
    ASSERT_TRUE(decided) << decided.error().message;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const Evaluation want = rules.evaluate(rules.key(i), who, instant_ms(0));
      const Evaluation got = decided->evaluate(rules.key(i), {}, instant_ms(0));
      EXPECT_EQ(got.value == nullptr, want.value == nullptr) << rules.key(i);
      if (want.value != nullptr && got.value != nullptr) {
        EXPECT_EQ(*got.value, *want.value);
      }
      EXPECT_EQ(got.variant, want.variant);
      EXPECT_EQ(got.reason, want.reason) << rules.key(i);
      EXPECT_EQ(got.error, want.error);
      EXPECT_EQ(*got.metadata, *want.metadata);
    }
  }
}

}  // namespace
}  // namespace showcaller
