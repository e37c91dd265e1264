// SPDX-License-Identifier: Apache-2.0
// The laws of exposure: monotone, last in first out, exact in share, parties whole, the same in
// flagd's language.
#include "flag/exposure.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/random.h"
#include "flag/flag_set.h"
#include "flag/validate.h"

namespace showcaller {
namespace {

constexpr Instant kAnyTime = instant_ms(1'760'000'000'000);

json::object flag_of(json::value targeting) {
  return {{"state", "ENABLED"},
          {"variants", {{"canary", true}, {"baseline", false}}},
          {"defaultVariant", "baseline"},
          {"targeting", std::move(targeting)}};
}

FlagSet flags_of(const ExposureRule& rule) {
  auto targeting = exposure_targeting(rule);
  EXPECT_TRUE(targeting);
  auto set = FlagSet::compile(json::object{{"flags", {{"f", flag_of(*std::move(targeting))}}}});
  EXPECT_TRUE(set);
  return *std::move(set);
}

TEST(Exposure, BucketsAreFlagdsBuckets) {
  EXPECT_EQ(bucket_ppm("salt", "unit"), (std::uint64_t(murmur3_32("saltunit")) * 1'000'000) >> 32);
  const std::string long_salt(300, 's');
  EXPECT_EQ(bucket_ppm(long_salt, "u"),
            (std::uint64_t(murmur3_32(long_salt + "u")) * 1'000'000) >> 32);
}

// One million units over 100 cells; chi-square with 99 degrees of freedom is below 160 but once in
// 10^4.
TEST(Exposure, SharesAreExact) {
  for (const std::string salt : {"winter-raid-1", "9f2c", "\xC3\xA9v\xC3\xA9nement"}) {
    std::vector<std::int64_t> cells(100);
    constexpr int kUnits = 1'000'000;
    for (int i = 0; i < kUnits; ++i)
      ++cells[bucket_ppm(salt, "player-" + std::to_string(i)) / 10'000];
    double chi_square = 0;
    for (const std::int64_t n : cells) chi_square += std::pow(double(n) - 10'000, 2) / 10'000;
    EXPECT_LT(chi_square, 160) << salt;
  }
}

TEST(Exposure, EachStepUpKeepsAndEachStepDownDropsTheLast) {
  const std::vector<std::uint32_t> steps{0, 1, 10'000, 50'000, 250'000, 999'999, 1'000'000};
  for (int i = 0; i < 20'000; ++i) {
    const std::string unit = "u" + std::to_string(i);
    bool before = false;
    for (const std::uint32_t ppm : steps) {
      const bool now = is_exposed("salt", unit, ppm);
      EXPECT_TRUE(now || !before) << unit << " left on the way up to " << ppm;
      before = now;
    }
    EXPECT_TRUE(before);
  }
}

// The flag and the function agree for random rules, audiences, contexts and units.
TEST(Exposure, TheFlagdRuleAgreesBitForBit) {
  Random random(41);
  const std::vector<json::value> audiences{
      nullptr, *parse_json(R"({"in":[{"var":"group"},["staff","qa"]]})"),
      *parse_json(R"({"==":[{"var":"region"},"eu"]})"),
      *parse_json(R"({"sem_ver":[{"var":"version"},">=","2.0.0"]})"),
      *parse_json(R"({"!":{"var":"account.banned"}})")};
  const std::vector<std::string> groups{"staff", "qa", "player"}, regions{"eu", "us"},
      versions{"1.9.0", "2.0.0", "x"};
  for (int round = 0; round < 300; ++round) {
    ExposureRule rule{.salt = "salt" + std::to_string(round), .unit = "party"};
    const std::uint64_t stages = random.below(5);
    for (std::uint64_t s = 0; s < stages; ++s) {
      rule.stages.push_back({.audience = audiences[random.below(audiences.size())],
                             .exposure_ppm = std::uint32_t(random.below(kExposureWhole + 1))});
    }
    const FlagSet set = flags_of(rule);
    const auto exposure = Exposure::compile(rule);
    ASSERT_TRUE(exposure);
    for (int i = 0; i < 40; ++i) {
      json::object attributes{{"group", groups[random.below(3)]},
                              {"region", regions[random.below(2)]},
                              {"version", versions[random.below(3)]},
                              {"account", {{"banned", random.chance(0.2)}}}};
      const std::string unit = "party-" + std::to_string(random.below(1'000'000));
      if (!random.chance(0.05)) attributes["party"] = unit;
      const EvaluationContext context(attributes);
      bool wanted = false;
      for (const auto& stage : rule.stages) {
        const auto audience =
            Logic::compile(stage.audience.is_null() ? json::value(true) : stage.audience);
        wanted |= attributes.contains("party") && *audience->test(context, kAnyTime) &&
                  is_exposed(rule.salt, unit, stage.exposure_ppm);
      }
      const Evaluation e = set.evaluate("f", context, kAnyTime);
      ASSERT_EQ(e.error, FlagError::None);
      ASSERT_EQ(e.variant == "canary", wanted) << to_json_text(set.document());
      ASSERT_EQ(exposure->admits(context, kAnyTime), wanted);
    }
  }
}

TEST(Exposure, PartiesStayWhole) {
  ExposureRule rule{
      .salt = "s", .unit = "party", .stages = {{.audience = nullptr, .exposure_ppm = 300'000}}};
  const auto exposure = Exposure::compile(rule);
  ASSERT_TRUE(exposure);
  int admitted = 0;
  for (int party = 0; party < 500; ++party) {
    const std::string id = "party-" + std::to_string(party);
    int members = 0;
    for (int member = 0; member < 4; ++member) {
      EvaluationContext context;
      const std::string player = "player-" + std::to_string(party * 4 + member);
      context.set_targeting_key(player).set("party", id);
      members += exposure->admits(context, kAnyTime);
    }
    EXPECT_TRUE(members == 0 || members == 4);
    admitted += members == 4;
  }
  EXPECT_NEAR(admitted, 150, 40);
}

TEST(Exposure, NoUnitIsNeverAdmitted) {
  ExposureRule rule{.salt = "s",
                    .unit = "party",
                    .stages = {{.audience = nullptr, .exposure_ppm = kExposureWhole}}};
  const auto exposure = Exposure::compile(rule);
  const FlagSet set = flags_of(rule);
  for (const char* text : {"{}", R"({"party":null})", R"({"party":""})"}) {
    const json::value attributes = *parse_json(text);
    const EvaluationContext context(attributes.get_object());
    EXPECT_FALSE(exposure->admits(context, kAnyTime)) << text;
    EXPECT_EQ(set.evaluate("f", context, kAnyTime).variant, "baseline") << text;
  }
  EvaluationContext number;
  number.set("party", 17.0);
  EXPECT_TRUE(exposure->admits(number, kAnyTime));
}

TEST(Exposure, TheRuleIsPlainFlagd) {
  const ExposureRule rule{.salt = "s1",
                          .unit = "party",
                          .stages = {{.audience = *parse_json(R"({"in":[{"var":"g"},["staff"]]})"),
                                      .exposure_ppm = kExposureWhole},
                                     {.audience = nullptr, .exposure_ppm = 10'000},
                                     {.audience = nullptr, .exposure_ppm = 5'000}}};
  const auto targeting = exposure_targeting(rule);
  ASSERT_TRUE(targeting);
  EXPECT_EQ(
      to_json_text(*targeting),
      R"({"if":[{"!!":[{"var":"party"}]},{"if":[{"in":[{"var":"g"},["staff"]]},)"
      R"({"fractional":[{"cat":["s1",{"var":"party"}]},["canary",1000000],["baseline",0]]},)"
      R"({"fractional":[{"cat":["s1",{"var":"party"}]},["canary",10000],["baseline",990000]]}]},"baseline"]})");
  EXPECT_TRUE(validate_flag(flag_of(*targeting)).empty());
}

TEST(Exposure, ALayerLeavesTheFlagsOwnRuleBelow) {
  const json::object base =
      parse_json(R"({"state":"ENABLED","variants":{"open":1,"shut":0,"ajar":2},
      "defaultVariant":"shut","targeting":{"if":[{"var":"vip"},"ajar",null]}})")
          ->get_object();
  const ExposureRule rule{.salt = "s", .stages = {{.audience = nullptr, .exposure_ppm = 500'000}}};
  const auto layered = layered_flag(base, rule, "open");
  ASSERT_TRUE(layered);
  EXPECT_TRUE(validate_flag(*layered).empty());
  const auto set = FlagSet::compile(json::object{{"flags", {{"f", *layered}}}});
  ASSERT_TRUE(set);
  for (int i = 0; i < 200; ++i) {
    const std::string unit = "u" + std::to_string(i);
    EvaluationContext context;
    context.set_targeting_key(unit).set("vip", i % 2 == 0);
    const std::string_view wanted = is_exposed("s", unit, 500'000) ? "open"
                                    : i % 2 == 0                   ? "ajar"
                                                                   : "shut";
    EXPECT_EQ(set->evaluate("f", context, kAnyTime).variant, wanted);
  }
  EXPECT_FALSE(layered_flag(base, rule, "gone"));
}

TEST(Exposure, RulesThatCannotBeMeantAreRefused) {
  EXPECT_FALSE(exposure_targeting({.salt = "", .stages = {}}));
  EXPECT_FALSE(exposure_targeting({.salt = "s", .unit = ""}));
  EXPECT_FALSE(exposure_targeting(
      {.salt = "s", .stages = {{.audience = nullptr, .exposure_ppm = 1'000'001}}}));
  EXPECT_FALSE(Exposure::compile(
      {.salt = "s", .stages = {{.audience = *parse_json(R"({"sqrt":[1]})"), .exposure_ppm = 1}}}));
  EXPECT_FALSE(exposure_targeting({.salt = "s", .stages = std::vector<ExposureStage>(65)}));
}

}  // namespace
}  // namespace showcaller
