// SPDX-License-Identifier: Apache-2.0
// Flags as flagd evaluates them: reasons, errors, operations, shares, and what it refuses to load.
#include "flag/flag_set.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"

namespace showcaller {
namespace {

constexpr Instant kNow = instant_ms(1'760'000'000'000);

FlagSet load(std::string_view text) {
  auto set = FlagSet::parse(text);
  EXPECT_TRUE(set) << (set ? "" : set.error().message);
  return set ? *std::move(set) : FlagSet();
}

// "value variant REASON" or "ERROR_CODE"; "-" for what is left to the caller.
std::string answer(const FlagSet& set, std::string_view key, std::string_view context_text = "{}") {
  const json::value parsed = *parse_json(context_text);
  const EvaluationContext context(parsed.get_object());
  const Evaluation e = set.evaluate(key, context, kNow);
  if (e.error != FlagError::None) return std::string(to_string(e.error));
  return (e.value != nullptr ? to_json_text(*e.value) : "-") + " " +
         (e.variant.empty() ? "-" : std::string(e.variant)) + " " +
         std::string(to_string(e.reason));
}

std::string one_flag(std::string_view targeting, std::string_view variants = R"({"a":"A","b":"B"})",
                     std::string_view default_variant = R"("b")") {
  return R"({"flags":{"f":{"state":"ENABLED","variants":)" + std::string(variants) +
         R"(,"defaultVariant":)" + std::string(default_variant) + R"(,"targeting":)" +
         std::string(targeting) + "}}}";
}

TEST(FlagSet, ReasonsOfFlagsWithoutTargeting) {
  const FlagSet set = load(R"({"flags":{
    "on":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"},
    "empty-rule":{"state":"ENABLED","variants":{"n":1},"defaultVariant":"n","targeting":{}},
    "null-rule":{"state":"ENABLED","variants":{"n":1},"defaultVariant":"n","targeting":null},
    "no-default":{"state":"ENABLED","variants":{"n":1}},
    "null-default":{"state":"ENABLED","variants":{"n":1},"defaultVariant":null},
    "off":{"state":"DISABLED","variants":{"on":true},"defaultVariant":"on","targeting":{"if":[true,"on"]}},
    "zero":{"state":"ENABLED","variants":{"z":{}},"defaultVariant":"z"}}})");
  EXPECT_EQ(answer(set, "on"), "true on STATIC");
  EXPECT_EQ(answer(set, "empty-rule"), "1 n STATIC");
  EXPECT_EQ(answer(set, "null-rule"), "1 n STATIC");
  EXPECT_EQ(answer(set, "no-default"), "- - DEFAULT");
  EXPECT_EQ(answer(set, "null-default"), "- - DEFAULT");
  EXPECT_EQ(answer(set, "off"), "- - DISABLED");
  EXPECT_EQ(answer(set, "zero"), "{} z STATIC");
  EXPECT_EQ(answer(set, "absent"), "FLAG_NOT_FOUND");
}

TEST(FlagSet, ReasonsOfTargeting) {
  const std::string rule = R"({"if":[{"==":[{"var":"email"},"x@y"]},"a",null]})";
  const FlagSet set = load(one_flag(rule));
  EXPECT_EQ(answer(set, "f", R"({"email":"x@y"})"), "\"A\" a TARGETING_MATCH");
  EXPECT_EQ(answer(set, "f"), "\"B\" b DEFAULT");
  EXPECT_EQ(answer(load(one_flag(R"({"if":[false,"a"]})", R"({"a":1})", "null")), "f"),
            "- - DEFAULT");
  EXPECT_EQ(answer(load(one_flag(R"({"var":"v"})")), "f", R"({"v":"zzz"})"), "GENERAL");
  EXPECT_EQ(answer(load(one_flag(R"({"var":"v"})")), "f", R"({"v":""})"), "GENERAL");
}

TEST(FlagSet, ResultsBecomeVariantNames) {
  const FlagSet set = load(
      one_flag(R"({"var":"v"})", R"({"true":"T","false":"F","1":"one","1.5":"x"})", R"("false")"));
  EXPECT_EQ(answer(set, "f", R"({"v":true})"), "\"T\" true TARGETING_MATCH");
  EXPECT_EQ(answer(set, "f", R"({"v":false})"), "\"F\" false TARGETING_MATCH");
  EXPECT_EQ(answer(set, "f", R"({"v":1})"), "\"one\" 1 TARGETING_MATCH");
  EXPECT_EQ(answer(set, "f", R"({"v":1.5})"), "\"x\" 1.5 TARGETING_MATCH");
  EXPECT_EQ(answer(set, "f", R"({"v":{"a":1}})"), "GENERAL");
}

TEST(FlagSet, TypesAndNumbersThatLoseNothing) {
  const FlagSet set = load(R"({"flags":{
    "int":{"state":"ENABLED","variants":{"v":10},"defaultVariant":"v"},
    "whole":{"state":"ENABLED","variants":{"v":10.0},"defaultVariant":"v"},
    "half":{"state":"ENABLED","variants":{"v":0.5},"defaultVariant":"v"},
    "huge":{"state":"ENABLED","variants":{"v":9007199254740991},"defaultVariant":"v"},
    "text":{"state":"ENABLED","variants":{"v":"x"},"defaultVariant":"v"},
    "bool":{"state":"ENABLED","variants":{"v":true},"defaultVariant":"v"},
    "object":{"state":"ENABLED","variants":{"v":{"a":[1]}},"defaultVariant":"v"}}})");
  const auto fits = [&](std::string_view key, FlagType type) {
    const Evaluation e = set.evaluate(key, {}, kNow, type);
    EXPECT_EQ(e.error == FlagError::TypeMismatch, e.reason == FlagReason::Error);
    return e.error == FlagError::None;
  };
  EXPECT_TRUE(fits("int", FlagType::Integer));
  EXPECT_TRUE(fits("int", FlagType::Float));
  EXPECT_TRUE(fits("whole", FlagType::Integer));
  EXPECT_FALSE(fits("half", FlagType::Integer));
  EXPECT_TRUE(fits("half", FlagType::Float));
  EXPECT_FALSE(fits("int", FlagType::Boolean));
  EXPECT_FALSE(fits("bool", FlagType::Integer));
  EXPECT_FALSE(fits("bool", FlagType::Float));
  EXPECT_FALSE(fits("bool", FlagType::String));
  EXPECT_FALSE(fits("text", FlagType::Float));
  EXPECT_TRUE(fits("object", FlagType::Object));
  EXPECT_FALSE(fits("object", FlagType::String));
  EXPECT_EQ(lossless_integer(*set.evaluate("huge", {}, kNow).value), 9007199254740991);
  EXPECT_EQ(set.evaluate("absent", {}, kNow, FlagType::Object).error, FlagError::FlagNotFound);
}

TEST(FlagSet, MetadataOfTheFlagOverridesTheSets) {
  const FlagSet set = load(R"({"metadata":{"owner":"team","v":1},"flags":{
    "f":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a","metadata":{"v":2,"x":null}}}})");
  EXPECT_EQ(to_json_text(*set.evaluate("f", {}, kNow).metadata), R"({"owner":"team","v":2})");
  EXPECT_EQ(to_json_text(*set.evaluate("absent", {}, kNow).metadata), R"({"owner":"team","v":1})");
}

TEST(FlagSet, OneBrokenFlagDoesNotSpoilTheSet) {
  const FlagSet set = load(R"({"flags":{
    "good":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a"},
    "dangling":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a","targeting":{"if":[{"$ref":"gone"},"a","a"]}},
    "unknown/op":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a","targeting":{"sqrt":[4]}}}})");
  EXPECT_EQ(answer(set, "good"), "1 a STATIC");
  EXPECT_EQ(answer(set, "dangling"), "PARSE_ERROR");
  EXPECT_EQ(answer(set, "unknown/op"), "PARSE_ERROR");
  ASSERT_EQ(set.broken().size(), 2u);
  EXPECT_EQ(set.broken()[0].pointer, "/flags/dangling/targeting/if/0/$ref");
  EXPECT_EQ(set.broken()[1].pointer, "/flags/unknown~1op/targeting/sqrt");
  EXPECT_EQ(set.broken()[1].message, "there is no operation 'sqrt'");
}

TEST(FlagSet, WhatIsNotLoaded) {
  const auto refusal = [](std::string_view text, const FlagLimits& limits = {}) {
    const auto set = FlagSet::parse(text, limits);
    return set ? std::string("loaded") : set.error().message;
  };
  EXPECT_EQ(refusal("[]"), "/: flag definitions are a JSON object with `flags`");
  EXPECT_EQ(refusal("{}"), "/flags: `flags` is missing or not an object");
  EXPECT_EQ(refusal(R"({"flags":{"f":{"variants":{"a":1},"defaultVariant":"z"}}})"),
            "/flags/f/defaultVariant: \"z\" is not one of the flag's variants");
  EXPECT_EQ(refusal(R"({"flags":{"f":7}})"), "/flags/f: a flag is an object");
  EXPECT_EQ(refusal(R"({"flags":{"f":{},"g":{}}})", {.flags_max = 1}), "/flags: more than 1 flags");
  EXPECT_EQ(refusal(R"({"flags":{"f":{"variants":{"a":1,"b":1}}}})", {.variants_max = 1}),
            "/flags/f/variants: more than 1 variants");
  EXPECT_EQ(refusal(R"({"flags":{"long":{}}})", {.key_bytes_max = 3}),
            "/flags/long: a flag's key has 1 to 3 bytes");
  EXPECT_EQ(refusal(R"({"flags":{},"$evaluators":{"a":{},"b":{}}})", {.evaluators_max = 1}),
            "/$evaluators: more than 1 evaluators");
}

TEST(FlagSet, EvaluatorsAreSharedRules) {
  const FlagSet set = load(R"({"$evaluators":{"is_staff":{"==":["staff",{"var":["group"]}]},
      "always":{"if":[{"$ref":"is_staff"},"a","b"]}},
    "flags":{"f":{"state":"ENABLED","variants":{"a":1,"b":2},"defaultVariant":"b",
      "targeting":{"if":[{"$ref":"is_staff"},"a","b"]}},
    "g":{"state":"ENABLED","variants":{"a":1,"b":2},"defaultVariant":"b","targeting":{"$ref":"always"}}}})");
  EXPECT_EQ(answer(set, "f", R"({"group":"staff"})"), "1 a TARGETING_MATCH");
  EXPECT_EQ(answer(set, "f"), "2 b TARGETING_MATCH");
  EXPECT_EQ(answer(set, "g", R"({"group":"staff"})"), "1 a TARGETING_MATCH");
}

std::string share(std::string_view flag_key, std::string_view rule, std::string_view context) {
  const FlagSet set = load(R"({"flags":{")" + std::string(flag_key) + R"(":{"state":"ENABLED",
    "variants":{"clubs":"clubs","diamonds":"diamonds","hearts":"hearts","spades":"spades","wild":"wild",
    "heads":"heads","tails":"tails","lower":"lower","upper":"upper","single":"single"},
    "defaultVariant":"wild","targeting":)" +
                           std::string(rule) + "}}}");
  return answer(set, flag_key, context);
}

// Known answers of flagd's own suite for its present bucketing.
TEST(FlagSet, FractionalAgreesWithFlagd) {
  const char* four = R"({"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"user.name"}]},
      ["clubs",25],["diamonds",25],["hearts",25],["spades",25]]})";
  const std::vector<std::pair<std::string, std::string>> own{{"jack", "hearts"},
                                                             {"queen", "spades"},
                                                             {"ten", "clubs"},
                                                             {"nine", "diamonds"},
                                                             {"3", "clubs"}};
  for (const auto& [name, suit] : own) {
    EXPECT_EQ(share("fractional-flag", four, R"({"user":{"name":")" + name + R"("}})"),
              "\"" + suit + "\" " + suit + " TARGETING_MATCH");
  }
  const char* seeded = R"({"fractional":[{"cat":["shared-seed",{"var":"user.name"}]},
      ["clubs",25],["diamonds",25],["hearts",25],["spades",25]]})";
  const std::vector<std::pair<std::string, std::string>> shared{
      {"seven", "hearts"}, {"eight", "diamonds"}, {"nine", "clubs"}, {"two", "spades"}};
  for (const auto& [name, suit] : shared) {
    EXPECT_EQ(share("any", seeded, R"({"user":{"name":")" + name + R"("}})"),
              "\"" + suit + "\" " + suit + " TARGETING_MATCH");
  }
  const char* coin = R"({"fractional":[["heads"],["tails",1]]})";
  EXPECT_EQ(share("fractional-flag-shorthand", coin, R"({"targetingKey":"jon@company.com"})"),
            "\"heads\" heads TARGETING_MATCH");
  EXPECT_EQ(share("fractional-flag-shorthand", coin, R"({"targetingKey":"jane@company.com"})"),
            "\"tails\" tails TARGETING_MATCH");
  const char* edge = R"({"fractional":[{"var":"targetingKey"},["lower",50],["upper",50]]})";
  for (const char* key : {"ejOoVL", "bY9fO-", "SI7p-"}) {
    EXPECT_EQ(share("edge", edge, R"({"targetingKey":")" + std::string(key) + R"("})"),
              "\"lower\" lower TARGETING_MATCH")
        << key;
  }
  for (const char* key : {"6LvT0", "ceQdGm"}) {
    EXPECT_EQ(share("edge", edge, R"({"targetingKey":")" + std::string(key) + R"("})"),
              "\"upper\" upper TARGETING_MATCH")
        << key;
  }
}

TEST(FlagSet, FractionalCorners) {
  const char* someone = R"({"targetingKey":"jon@company.com","tier":"premium","none":null})";
  const auto by_key = [](std::string_view buckets) {
    return R"({"fractional":[{"var":"targetingKey"},)" + std::string(buckets) + "]}";
  };
  const std::string kDefault = "\"wild\" wild DEFAULT";
  EXPECT_EQ(share("f", R"({"fractional":[["single",1]]})", someone),
            "\"single\" single TARGETING_MATCH");
  EXPECT_EQ(share("f", R"({"fractional":[["heads"],["tails"]]})", "{}"), kDefault);
  EXPECT_EQ(share("f", by_key(R"(["heads",0],["tails",0])"), someone), kDefault);
  EXPECT_EQ(share("f", by_key(R"(["heads",-50],["tails",100])"), someone),
            "\"tails\" tails TARGETING_MATCH");
  EXPECT_EQ(share("f", by_key(R"(["heads",0.5],["tails",1])"), someone), kDefault);
  EXPECT_EQ(share("f", by_key(R"(["heads",2147483647],["tails",1])"), someone), kDefault);
  EXPECT_EQ(share("f", by_key(R"(["heads",2147483647],["tails",0])"), someone),
            "\"heads\" heads TARGETING_MATCH");
  EXPECT_EQ(share("f", by_key(R"(["heads","50"],["tails",50])"), someone), kDefault);
  EXPECT_EQ(share("f", by_key(R"("heads",["tails",50])"), someone), kDefault);
  EXPECT_EQ(share("f", by_key(R"([])"), someone), kDefault);
  // Variants and weights may be computed; all variants are nested expressions' results.
  EXPECT_EQ(
      share(
          "f",
          by_key(R"([{"if":[{"==":[{"var":"tier"},"premium"]},"heads","tails"]},50],["spades",0])"),
          someone),
      "\"heads\" heads TARGETING_MATCH");
  EXPECT_EQ(
      share("f",
            by_key(R"(["heads",{"if":[{"==":[{"var":"tier"},"premium"]},100,0]}],["tails",0])"),
            someone),
      "\"heads\" heads TARGETING_MATCH");
  EXPECT_EQ(share("f", by_key(R"([{"var":"none"},1])"), someone), kDefault);
  // A bucketing value that is not there falls back to the flag's key and the targeting key; a
  // number does not.
  EXPECT_EQ(share("f", R"({"fractional":[{"var":"absent"},["single",1]]})", someone),
            "\"single\" single TARGETING_MATCH");
  EXPECT_EQ(share("f", R"({"fractional":[{"+":[1]},["single",1]]})", someone), kDefault);
  EXPECT_EQ(share("f", R"({"fractional":[{"merge":[["single"],[1]]}]})", someone),
            "\"single\" single TARGETING_MATCH");
  EXPECT_EQ(
      share("f", R"({"if":[{"fractional":[[false,0],[true,100]]},"heads","tails"]})", someone),
      "\"heads\" heads TARGETING_MATCH");
}

TEST(FlagSet, SemanticVersions) {
  const auto matches = [](const char* rule, const char* context) {
    return answer(load(one_flag(rule, R"({"true":1,"false":0,"none":-1})", R"("none")")), "f",
                  context);
  };
  const std::string yes = "1 true TARGETING_MATCH", no = "0 false TARGETING_MATCH",
                    none = "-1 none DEFAULT";
  const std::vector<std::pair<std::array<const char*, 3>, std::string>> rows{
      {{"2.0.0", "=", "2.0.0"}, yes},
      {{"2.1.0", ">", "2.0.0"}, yes},
      {{"1.9.0", "<", "2.0.0"}, yes},
      {{"2.0.0-alpha", "<", "2.0.0"}, yes},
      {{"2.0.0.0", "=", "2.0.0"}, none},
      {{"3.0.1", "~", "3.0.0"}, yes},
      {{"3.1.0", "~", "3.0.0"}, no},
      {{"3.1.0", "^", "3.0.0"}, yes},
      {{"4.0.0", "^", "3.0.0"}, no},
      {{"v1.0.0", "=", "1.0.0"}, yes},
      {{"1.0.0", "=", "v1.0.0"}, yes},
      {{"1.5.0", "^", "1"}, yes},
      {{"1.2", "=", "1.2.0"}, yes},
      {{"1.0.0", "=", "1.0.0+build"}, yes},
      {{"1.0.0+other", "=", "1.0.0"}, yes},
      {{"not-a-version", "=", "1.0.0"}, none},
      {{"1.0.0", "===", "1.0.0"}, none},
      {{"01.0.0", "=", "1.0.0"}, none},
      {{"1.0.0-", "=", "1.0.0"}, none},
      {{"1.0.0-01", "=", "1.0.0"}, none},
      {{"1.0.0-a.2", "<", "1.0.0-a.10"}, yes},
      {{"1.0.0-1", "<", "1.0.0-a"}, yes},
      {{"1.0.0-a", "<", "1.0.0-a.1"}, yes},
      {{"1.0.0-a", "!=", "1.0.0-b"}, yes},
      {{"1.0.0", ">=", "1.0.0"}, yes},
      {{"1.0.0", "<=", "0.9.9"}, no},
      {{"99999999999999999999.0.0", ">", "9.0.0"}, yes},
      {{"", "=", "1.0.0"}, none}};
  for (const auto& [arguments, outcome] : rows) {
    const std::string rule = std::string(R"({"sem_ver":[{"var":"v"},")") + arguments[1] + R"(",")" +
                             arguments[2] + R"("]})";
    const std::string context = std::string(R"({"v":")") + arguments[0] + R"("})";
    EXPECT_EQ(matches(rule.c_str(), context.c_str()), outcome)
        << arguments[0] << " " << arguments[1] << " " << arguments[2];
  }
  EXPECT_EQ(matches(R"({"sem_ver":[{"var":"v"},"="]})", "{}"), none);
  EXPECT_EQ(matches(R"({"sem_ver":[{"var":"v"},"=","2"]})", R"({"v":2})"), yes);
  EXPECT_EQ(matches(R"({"sem_ver":[{"var":"v"},"=","2"]})", R"({"v":true})"), none);
}

TEST(FlagSet, StringOperations) {
  const auto gives = [](const char* rule, const char* context) {
    return answer(load(one_flag(rule, R"({"true":1,"false":0,"abc":2,"none":-1})", R"("none")")),
                  "f", context);
  };
  EXPECT_EQ(gives(R"({"starts_with":[{"var":"id"},"abc"]})", R"({"id":"abcdef"})"),
            "1 true TARGETING_MATCH");
  EXPECT_EQ(gives(R"({"starts_with":[{"var":"id"},"abc"]})", R"({"id":"xabc"})"),
            "0 false TARGETING_MATCH");
  EXPECT_EQ(gives(R"({"ends_with":[{"var":"id"},"xyz"]})", R"({"id":"uvwxyz"})"),
            "1 true TARGETING_MATCH");
  EXPECT_EQ(gives(R"({"ends_with":[{"var":"id"},"xyz"]})", R"({"id":123})"), "-1 none DEFAULT");
  EXPECT_EQ(gives(R"({"starts_with":["abc"]})", "{}"), "-1 none DEFAULT");
  EXPECT_EQ(gives(R"({"lower":[{"var":"id"}]})", R"({"id":"AbC"})"), "2 abc TARGETING_MATCH");
  EXPECT_EQ(gives(R"({"lower":{"upper":{"var":"id"}}})", R"({"id":"aBc"})"),
            "2 abc TARGETING_MATCH");
  EXPECT_EQ(gives(R"({"upper":[{"var":"id"}]})", R"({"id":5})"), "-1 none DEFAULT");
}

TEST(FlagSet, RolloutMovesWithTime) {
  const FlagSet set = load(one_flag(R"({"rollout":[{"var":"targetingKey"},1000,2000,"b","a"]})"));
  json::object who{{"targetingKey", "someone"}};
  const EvaluationContext context(who);
  const std::int64_t point = std::int64_t((std::uint64_t(murmur3_32("someone")) * 1000) >> 32);
  const auto variant_at = [&](std::int64_t s) {
    return set.evaluate("f", context, instant_ms(s * 1000)).variant;
  };
  EXPECT_EQ(variant_at(1), "b");
  EXPECT_EQ(variant_at(1000), "b");
  EXPECT_EQ(variant_at(1000 + point), "b");
  EXPECT_EQ(variant_at(1000 + point + 1), "a");
  EXPECT_EQ(variant_at(2000), "a");
  const FlagSet shorthand = load(one_flag(R"({"rollout":[1000,2000,"a"]})"));
  EXPECT_EQ(shorthand.evaluate("f", context, instant_ms(500'000)).reason, FlagReason::Default);
  EXPECT_EQ(shorthand.evaluate("f", context, instant_ms(3'000'000)).variant, "a");
  EXPECT_EQ(load(one_flag(R"({"rollout":[2000,1000,"a"]})")).evaluate("f", context, kNow).reason,
            FlagReason::Default);
}

TEST(FlagSet, TheClockComesInAsAValue) {
  const FlagSet set =
      load(one_flag(R"({"if":[{"<":[{"var":"$flagd.timestamp"},1760000000]},"a","b"]})"));
  EXPECT_EQ(set.evaluate("f", {}, instant_ms(1'759'999'999'999)).variant, "a");
  EXPECT_EQ(set.evaluate("f", {}, instant_ms(1'760'000'000'000)).variant, "b");
}

TEST(FlagSet, TheContextCannotForgeWhatFlagdAdds) {
  const FlagSet set = load(one_flag(R"({"if":[{"==":[{"var":"$flagd.flagKey"},"f"]},"a","b"]})"));
  EXPECT_EQ(answer(set, "f", R"({"$flagd":{"flagKey":"forged"}})"), "\"A\" a TARGETING_MATCH");
}

TEST(FlagSet, BudgetsEndARunawayRule) {
  json::array numbers;
  for (int i = 0; i < 2000; ++i) numbers.push_back(i);
  json::object attributes{{"n", std::move(numbers)}};
  const FlagSet set = load(one_flag(R"({"map":[{"var":"n"},{"map":[{"var":""},{"var":"n"}]}]})"));
  EXPECT_EQ(set.evaluate("f", EvaluationContext(attributes), kNow).error, FlagError::General);
  const FlagSet square = load(one_flag(R"({"if":[{"some":[{"var":"n"},
      {"some":[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],{"some":[[1,2,3,4,5,6,7,8,9,10,11,12,13,
      14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30],{"==":[{"var":""},-1]}]}]}]},"a","b"]})"));
  const Evaluation e = square.evaluate("f", EvaluationContext(attributes), kNow);
  EXPECT_EQ(e.error, FlagError::General);
  EXPECT_EQ(e.message, "the flag's targeting exceeds its budget");
}

TEST(FlagSet, CopiesShareAndMovesKeepViewsAlive) {
  FlagSet set = load(one_flag(R"({"if":[{"in":[{"var":"r"},["eu","us"]]},"a","b"]})"));
  const FlagSet copy = set;
  set = FlagSet();
  EXPECT_EQ(set.size(), 0u);
  EXPECT_EQ(answer(copy, "f", R"({"r":"eu"})"), "\"A\" a TARGETING_MATCH");
  EXPECT_EQ(copy.key(0), "f");
  EXPECT_EQ(copy.fingerprint().size(), 16u);
  EXPECT_NE(copy.fingerprint(), set.fingerprint());
  EXPECT_EQ(set.fingerprint(), FlagSet().fingerprint());
}

}  // namespace
}  // namespace showcaller
