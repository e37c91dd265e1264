// SPDX-License-Identifier: Apache-2.0
// Which bucket a text falls into, by flagd's present way and its former one.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "flag/flag_set.h"

namespace showcaller {
namespace {

constexpr Instant kBucketingTime = instant_ms(1'760'000'000'000);

FlagSet cards(std::string_view key, std::string_view rule, Bucketing bucketing) {
  json::object flag{
      {"state", "ENABLED"},
      {"variants",
       {{"clubs", 1}, {"diamonds", 2}, {"hearts", 3}, {"spades", 4}, {"heads", 5}, {"tails", 6}}},
      {"defaultVariant", "clubs"},
      {"targeting", *parse_json(rule)}};
  json::object flags;
  flags.emplace(key, std::move(flag));
  auto set = FlagSet::compile(json::object{{"flags", std::move(flags)}}, {}, bucketing);
  EXPECT_TRUE(set);
  return *std::move(set);
}

std::string variant(const FlagSet& set, const json::object& who) {
  return std::string(set.evaluate(set.key(0), EvaluationContext(who), kBucketingTime).variant);
}

// What flagd's own suite expects of its first way of bucketing, constant weights and computed ones.
TEST(Bucketing, TheFormerWayGivesWhatFlagdGave) {
  const std::vector<std::array<const char*, 3>> rows{{"$flagd.flagKey", "jack", "spades"},
                                                     {"$flagd.flagKey", "queen", "clubs"},
                                                     {"$flagd.flagKey", "ten", "diamonds"},
                                                     {"$flagd.flagKey", "nine", "hearts"},
                                                     {"$flagd.flagKey", "3", "diamonds"},
                                                     {"", "jack", "hearts"},
                                                     {"", "queen", "spades"},
                                                     {"", "ten", "hearts"},
                                                     {"", "nine", "diamonds"}};
  for (const auto& [prefix, name, suit] : rows) {
    const std::string first = *prefix != 0 ? R"({"var":"$flagd.flagKey"})" : R"("shared-seed")";
    for (const char* weight : {"25", R"({"+":[25]})"}) {
      const std::string w(weight);
      const FlagSet set =
          cards("fractional-flag",
                R"({"fractional":[{"cat":[)" + first + R"(,{"var":"user.name"}]},["clubs",)" + w +
                    R"(],["diamonds",)" + w + R"(],["hearts",)" + w + R"(],["spades",)" + w + "]]}",
                Bucketing::Percent);
      EXPECT_EQ(variant(set, {{"user", {{"name", name}}}}), suit) << prefix << name << weight;
    }
  }
  const FlagSet coin = cards("fractional-flag-shorthand",
                             R"({"fractional":[["heads"],["tails",1]]})", Bucketing::Percent);
  EXPECT_EQ(variant(coin, {{"targetingKey", "jon@company.com"}}), "heads");
  EXPECT_EQ(variant(coin, {{"targetingKey", "jane@company.com"}}), "tails");
}

// Bytes of UTF-8, whatever the text; a bucket without weight is never taken.
TEST(Bucketing, EveryTextFallsWhereItsBytesSay) {
  const FlagSet set =
      cards("f", R"({"fractional":[{"var":"targetingKey"},["clubs",0],["diamonds",3],
      ["hearts",0],["spades",5],["heads",0]]})",
            Bucketing::Weights);
  for (int i = 0; i < 2'000; ++i) {
    const std::string who =
        (i % 3 == 0 ? "spieler-\u00fc\u4e2d\U0001F600" : "p") + std::to_string(i);
    const auto point = (std::uint64_t(murmur3_32(who)) * 8) >> 32;
    EXPECT_EQ(variant(set, {{"targetingKey", who}}), point < 3 ? "diamonds" : "spades") << who;
  }
}

}  // namespace
}  // namespace showcaller
