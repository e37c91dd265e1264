// SPDX-License-Identifier: Apache-2.0
// What `flag rule` prints.
#include "cli/flag/flag_verb.h"

#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

struct Told {
  std::string out, errors;
  std::size_t failures = 0;
};

Told told(const std::string& lines) {
  std::istringstream in(lines);
  std::ostringstream out, errors;
  const auto failures = apply_rules(in, out, errors);
  return {out.str(), errors.str(), failures.value_or(1'000)};
}

TEST(FlagRuleVerb, EachLineGivesALine) {
  const Told t = told(R"({"rule":{"+":[{"var":"a"},2]},"data":{"a":1}})"
                      "\n\n"
                      R"({"data":[10,20],"rule":{"var":1},"result":20})"
                      "\r\n"
                      R"({"rule":{"map":[[1,2.5],{"*":[{"var":""},2]}]}})"
                      "\n");
  EXPECT_EQ(t.out, "3\n20\n[2,5]\n");
  EXPECT_EQ(t.errors, "");
  EXPECT_EQ(t.failures, 0u);
}

TEST(FlagRuleVerb, NumbersAreWrittenAsJavaScriptWritesThem) {
  const Told t =
      told(R"({"rule":{"var":""},"data":{"b":3.0,"a":[1e21,-0.0,0.1,1e-7,9007199254740993,1e20]}})"
           "\n"
           R"({"rule":[{"/":[1,0]},{"-":["x",1]},{"/":[1,3]}]})"
           "\n"
           R"({"rule":{"var":"t"},"data":{"t":"é\n\u0001"}})");
  EXPECT_EQ(t.out,
            "{\"b\":3,\"a\":[1e+21,0,0.1,1e-7,9007199254740992,100000000000000000000]}\n"
            "[null,null,0.3333333333333333]\n"
            "\"é\\n\\u0001\"\n");
}

TEST(FlagRuleVerb, ALineInErrorDoesNotEndTheRest) {
  const Told t = told(
      "{\"rule\":\n"
      R"({"rule":{"and":[true,{"sqrt":[4]}]}})"
      "\n[]\n"
      R"({"rule":{"missing_some":[1,null]}})"
      "\n"
      R"({"rule":true})");
  std::istringstream out(t.out);
  std::vector<std::string> lines;
  for (std::string line; std::getline(out, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_TRUE(lines[0].starts_with("{\"error\":")) << lines[0];
  EXPECT_EQ(lines[1], R"({"error":"/and/1/sqrt: there is no operation 'sqrt'"})");
  EXPECT_TRUE(lines[2].starts_with("{\"error\":\"there is no `rule`; a line is ")) << lines[2];
  EXPECT_EQ(lines[3], R"({"error":"missing_some needs a list of keys"})");
  EXPECT_EQ(lines[4], "true");
  EXPECT_EQ(t.failures, 4u);
  EXPECT_NE(t.errors.find("showcaller: line 2: /and/1/sqrt: there is no operation 'sqrt'\n"),
            std::string::npos);
}

}  // namespace
}  // namespace showcaller
