// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_sources.h"

#include <gtest/gtest.h>

#include "flag/flag_changes.h"

namespace showcaller {
namespace {

std::string selected(const FlagSources& sources, std::string_view selector) {
  return to_json_text(sources.select(*parse_flag_selector(selector)));
}

TEST(FlagSelector, Texts) {
  using By = FlagSelector::By;
  EXPECT_EQ(parse_flag_selector(""), (FlagSelector{By::Nothing, ""}));
  EXPECT_EQ(parse_flag_selector(" a/b.json "), (FlagSelector{By::Source, "a/b.json"}));
  EXPECT_EQ(parse_flag_selector("source=a=b"), (FlagSelector{By::Source, "a=b"}));
  EXPECT_EQ(parse_flag_selector("flagSetId=shop"), (FlagSelector{By::FlagSet, "shop"}));
  EXPECT_EQ(parse_flag_selector("flagSetId="), (FlagSelector{By::FlagSet, ""}));
  EXPECT_EQ(parse_flag_selector("shop", "flagSetId"), (FlagSelector{By::FlagSet, "shop"}));
  EXPECT_FALSE(parse_flag_selector("app=shop"));
}

TEST(FlagSources, TheLaterSourceCounts) {
  FlagSources sources({"low", "high"});
  ASSERT_TRUE(sources.take(0, *parse_json(R"({"flags":{"a":{"state":"ENABLED"},"b":{}}})")));
  ASSERT_TRUE(sources.take(1, *parse_json(R"({"flags":{"a":{"state":"DISABLED"}}})")));
  EXPECT_EQ(selected(sources, ""), R"({"flags":{"a":{"state":"DISABLED"},"b":{}}})");
  EXPECT_EQ(selected(sources, "low"),
            R"({"metadata":{"source":"low"},"flags":{"a":{"state":"ENABLED"},"b":{}}})");
  // What a source no longer has comes from those below it.
  ASSERT_TRUE(sources.take(1, *parse_json(R"({"flags":{}})")));
  EXPECT_EQ(selected(sources, ""), R"({"flags":{"a":{"state":"ENABLED"},"b":{}}})");
}

TEST(FlagSources, AFlagsSetIsItsOwnElseItsDocuments) {
  FlagSources sources({"s"});
  ASSERT_TRUE(sources.take(0, *parse_json(R"({"metadata":{"flagSetId":"shop","v":1},"flags":[
      {"key":"a"},{"key":"b","metadata":{"flagSetId":"raid"}},{"key":"a","metadata":{"flagSetId":"raid"}}]})")));
  EXPECT_EQ(
      selected(sources, "flagSetId=shop"),
      R"({"metadata":{"flagSetId":"shop"},"flags":{"a":{"metadata":{"flagSetId":"shop","v":1}}}})");
  EXPECT_EQ(
      selected(sources, "flagSetId=raid"),
      R"({"metadata":{"flagSetId":"raid"},"flags":{"b":{"metadata":{"flagSetId":"raid","v":1}},"a":{"metadata":{"flagSetId":"raid","v":1}}}})");
  EXPECT_EQ(selected(sources, "flagSetId="), R"({"flags":{}})");
}

TEST(FlagSources, EvaluatorsOfOneNameStayApart) {
  FlagSources sources({"low", "high"});
  const auto document = [](std::string_view key, std::string_view rule) {
    return *parse_json(
        fmt::format(R"({{"$evaluators":{{"e":{0}}},"flags":{{"{1}":{{"variants":{{"x":1,"y":2}},)"
                    R"("defaultVariant":"x","targeting":{{"if":[{{"$ref":"e"}},"y"]}}}}}}}})",
                    rule, key));
  };
  ASSERT_TRUE(sources.take(0, document("a", "true")));
  ASSERT_TRUE(sources.take(1, document("b", "false")));
  const auto set = FlagSet::compile(sources.select({}));
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->evaluate("a", {}, instant_ms(0)).variant, "y");
  EXPECT_EQ(set->evaluate("b", {}, instant_ms(0)).variant, "x");
}

TEST(FlagSources, WhatIsRefusedChangesNothing) {
  FlagSources sources({"s"});
  ASSERT_TRUE(sources.take(0, *parse_json(R"({"flags":{"a":{}}})")));
  for (const char* bad : {"[]", "{}", R"({"flags":7})", R"({"flags":[{}]})", R"({"flags":{"a":7}})",
                          R"({"flags":{"a":{"defaultVariant":"none"}}})"}) {
    EXPECT_FALSE(sources.take(0, *parse_json(bad))) << bad;
  }
  EXPECT_EQ(selected(sources, ""), R"({"flags":{"a":{}}})");
  const auto broken = sources.take(0, *parse_json(R"({"flags":{"a":{"targeting":{"sqrt":[]}}}})"));
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->size(), 1u);
}

TEST(FlagChanges, WrittenUpdatedDeleted) {
  const auto set = [](std::string_view text) { return *FlagSet::parse(text); };
  const FlagSet before = set(R"({"$evaluators":{"e":true},"flags":{
      "same":{},"gone":{},"new-value":{"state":"ENABLED"},"refers":{"targeting":{"!":[{"$ref":"e"}]}}}})");
  const FlagSet after = set(R"({"$evaluators":{"e":false},"flags":{
      "added":{},"same":{},"new-value":{"state":"DISABLED"},"refers":{"targeting":{"!":[{"$ref":"e"}]}}}})");
  const std::vector<FlagKeyChange> expected{{"gone", FlagChangeKind::Delete},
                                            {"added", FlagChangeKind::Write},
                                            {"new-value", FlagChangeKind::Update},
                                            {"refers", FlagChangeKind::Update}};
  EXPECT_EQ(changes_between(before, after), expected);
  EXPECT_TRUE(changes_between(before, before).empty());
}

}  // namespace
}  // namespace showcaller
