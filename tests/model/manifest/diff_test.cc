// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/diff.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace showcaller {
namespace {

std::string told(std::string_view before, std::string_view after) {
  return format_changes(diff_documents(*parse_json(before), *parse_json(after)));
}

TEST(Diff, PathsOfWhatChanged) {
  EXPECT_EQ(told(R"({"a":1,"b":{"c":"x"}})", R"({"a":1.0,"b":{"c":"x"}})"), "");
  EXPECT_EQ(told(R"({"a":1,"b":{"c":"x"},"d":true})", R"({"a":2,"b":{"c":"x","e":[1]}})"),
            "~ a: 1 → 2\n+ b.e: [1]\n- d: true\n");
  EXPECT_EQ(told(R"({"l":[1,2,3]})", R"({"l":[1,4]})"), "~ l[1]: 2 → 4\n- l[2]: 3\n");
  EXPECT_EQ(told(R"({"l":1})", R"({"l":"1"})"), "~ l: 1 → 1\n");
}

TEST(Diff, NamedItemsAreComparedByName) {
  EXPECT_EQ(
      told(R"({"stages":[{"name":"canary","exposure":"1%"},{"name":"world"}]})",
           R"({"stages":[{"name":"staff"},{"name":"canary","exposure":"2%"},{"name":"world"}]})"),
      "~ stages[canary].exposure: 1% → 2%\n+ stages[staff]: {\"name\":\"staff\"}\n");
  EXPECT_EQ(told(R"({"s":[{"name":"a"},{"name":"b"}]})", R"({"s":[{"name":"b"},{"name":"a"}]})"),
            "~ s: [\"a\",\"b\"] → [\"b\",\"a\"]\n");
}

RC_GTEST_PROP(Diff, EqualDocumentsHaveNone,
              (const std::map<std::string, std::vector<int>>& content)) {
  json::object document;
  for (const auto& [key, list] : content) document[key] = json::value_from(list);
  RC_ASSERT(diff_documents(document, document).empty());
}

}  // namespace
}  // namespace showcaller
