// SPDX-License-Identifier: Apache-2.0
#include "flag/validate.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

std::vector<std::string> findings(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& finding : validate_flags(*parse_json(text))) {
    out.push_back(finding.pointer + ": " + finding.message);
  }
  return out;
}

std::string first_of_rule(std::string_view text) {
  const auto found = validate_rule(*parse_json(text));
  return found.empty() ? "" : found[0].pointer + ": " + found[0].message;
}

TEST(Validate, AGoodDocumentHasNoFindings) {
  EXPECT_EQ(
      findings(
          R"({"$schema":"https://flagd.dev/schema/v0/flags.json","metadata":{"id":"x","n":1,"b":true},
    "$evaluators":{"staff":{"==":[{"var":"group"},"staff"]}},
    "flags":{"f":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":null,
      "targeting":{"if":[{"$ref":"staff"},"on",{"fractional":[{"cat":["s",{"var":"targetingKey"}]},["on",1],["off",{"var":"w"}]]}]}},
     "g":{"state":"DISABLED","variants":{"a":{"x":[1]}},"targeting":{}}}})"),
      std::vector<std::string>{});
}

TEST(Validate, EverythingAtOnceWithItsPlace) {
  EXPECT_EQ(
      findings(R"({"metadata":{"list":[1]},"$evaluators":{"e":7},"flags":{
      "a/b":{"state":"ON","variants":{"x":1,"y":"two","z":[1]},"defaultVariant":"w","metadata":{"m":{}}},
      "c":{"variants":{}, "defaultVariant":7,"targeting":[1]},
      "d":{"state":"ENABLED","variants":{"little":1,"big":9007199254740993},"defaultVariant":"litle",
           "targeting":{"if":[{"==":[1]},"big","none"]}},
      "":3}})"),
      (std::vector<std::string>{
          "/metadata/list: a metadata value is a string, a number or a boolean",
          "/$evaluators/e: an evaluator is a rule",
          "/flags/a~1b/state: \"ON\" is no state; it is ENABLED or DISABLED",
          "/flags/a~1b/variants/y: this is a string, the first variant is a number; all have one "
          "type",
          "/flags/a~1b/variants/z: a variant is a boolean, a string, a number or an object",
          "/flags/a~1b/defaultVariant: 'w' is not one of the variants; did you mean 'x'?",
          "/flags/a~1b/metadata/m: a metadata value is a string, a number or a boolean",
          "/flags/c: `state` is missing; it is ENABLED or DISABLED",
          "/flags/c/variants: `variants` is an object with at least one variant",
          "/flags/c/defaultVariant: `defaultVariant` is the name of a variant, or null",
          "/flags/c/targeting: `targeting` is a rule: an object",
          "/flags/d/variants/big: a number beyond 2^53 - 1 does not travel exactly",
          "/flags/d/defaultVariant: 'litle' is not one of the variants; did you mean 'little'?",
          "/flags/d/targeting/if/0/==: '==' takes 2 arguments, not 1",
          "/flags/d/targeting/if/2: the rule may give 'none', which is no variant",
          "/flags/: a flag's key is not empty", "/flags/: a flag is an object"}));
}

TEST(Validate, Rules) {
  EXPECT_EQ(first_of_rule(R"({"starts_wth":["a","b"]})"),
            "/starts_wth: there is no operation 'starts_wth'; did you mean 'starts_with'?");
  EXPECT_EQ(first_of_rule(R"({"log":[1]})"),
            "/log: 'log' is JSONLogic, but not one of flagd's operations");
  EXPECT_EQ(first_of_rule(R"({"a":1,"b":2})"), ": a rule is an object with one operation");
  EXPECT_EQ(first_of_rule(R"({"var":"$flagd.time"})"),
            "/var: '$flagd.time' does not exist; flagd adds $flagd.flagKey and $flagd.timestamp");
  EXPECT_EQ(first_of_rule(R"({"sem_ver":[{"var":"v"},"=>","1.0.0"]})"),
            "/sem_ver/1: the comparison is one of = != > < >= <= ~ ^");
  EXPECT_EQ(first_of_rule(R"({"sem_ver":["1.x","=",{"var":"v"}]})"),
            "/sem_ver/0: '1.x' is no semantic version");
  EXPECT_EQ(first_of_rule(R"({"ends_with":[{"var":"v"},5]})"),
            "/ends_with/1: this is text, or a rule that gives text");
  EXPECT_EQ(
      first_of_rule(R"({"fractional":[{"var":"k"},["a",0.5]]})"),
      "/fractional/1/1: a weight is a whole number that is not negative, or a rule that gives one");
  EXPECT_EQ(
      first_of_rule(R"({"fractional":[["a",-1]]})"),
      "/fractional/0/1: a weight is a whole number that is not negative, or a rule that gives one");
  EXPECT_EQ(first_of_rule(R"({"fractional":[5,["a",1]]})"),
            "/fractional/0: this is text, or a rule that gives text");
  EXPECT_EQ(first_of_rule(R"({"fractional":["invalid",["a",1],["b",1]]})"),
            "/fractional/0: a constant puts everybody into one bucket; bucket by a rule that tells "
            "them apart");
  EXPECT_EQ(first_of_rule(R"({"fractional":[["a",2147483647],["b",1]]})"),
            "/fractional: the weights add up to more than 2^31 - 1");
  EXPECT_EQ(first_of_rule(R"({"fractional":[{"var":"x"}]})"),
            "/fractional: 'fractional' needs at least one bucket");
  EXPECT_EQ(first_of_rule(R"({"missing_some":["1",["a"]]})"),
            "/missing_some/0: how many keys must be there is a number");
  EXPECT_EQ(first_of_rule(R"({"==":5})"), "/==: the arguments of '==' are a list");
  EXPECT_EQ(first_of_rule(R"({"reduce":[{"var":"n"},{"+":[1,2]}]})"),
            "/reduce: 'reduce' takes 3 arguments, not 2");
  EXPECT_EQ(first_of_rule(R"({"!":{"var":"x"}})"), "");
  EXPECT_EQ(first_of_rule(R"({"substr":[{"var":"x"},1,2,3]})"),
            "/substr: 'substr' takes 2 to 3 arguments, not 4");
  EXPECT_EQ(first_of_rule(R"({"$ref":"gone"})"),
            "/$ref: there is no evaluator 'gone' under $evaluators");
}

TEST(Validate, Rollouts) {
  for (const char* good :
       {R"({"rollout":[1704067200,1706745600,"new"]})",
        R"({"rollout":[1704067200,1706745600,"old","new"]})",
        R"({"rollout":[{"var":"email"},1704067200,1706745600,"old","new"]})",
        R"({"rollout":[{"var":"email"},1704067200,1706745600,"new"]})",
        R"({"rollout":[{"var":"begin"},{"var":"end"},{"fractional":[["a",50],["b",50]]}]})"})
    EXPECT_EQ(first_of_rule(good), "") << good;
  EXPECT_EQ(first_of_rule(R"({"rollout":[1704067200,1706745600]})"),
            "/rollout: 'rollout' takes 3 to 5 arguments, not 2");
  EXPECT_EQ(first_of_rule(R"({"rollout":[1704067200,1706745600,"old","new","extra","args"]})"),
            "/rollout: 'rollout' takes 3 to 5 arguments, not 6");
  EXPECT_EQ(first_of_rule(R"({"rollout":["2024-01-01","2024-01-31","new"]})"),
            "/rollout/0: a time is a number of Unix seconds, or a rule that gives one");
  EXPECT_EQ(first_of_rule(R"({"rollout":["all",1,2,"old","new"]})"),
            "/rollout/0: a constant puts everybody into one bucket; bucket by a rule that tells "
            "them apart");
}

TEST(Validate, FindingsAreBounded) {
  json::object flags;
  for (int i = 0; i < 2000; ++i) flags.emplace("f" + std::to_string(i), 1);
  EXPECT_EQ(validate_flags(json::object{{"flags", flags}}).size(), kFlagFindingsMax);
}

}  // namespace
}  // namespace showcaller
