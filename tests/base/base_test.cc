// SPDX-License-Identifier: Apache-2.0
// Tables for the values everything stands on: times, durations, hashes, JSON text, chance.
#include <cmath>
#include <limits>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/json_arena.h"
#include "base/json_hash.h"
#include "base/random.h"
#include "base/suggest.h"
#include "base/time.h"

namespace showcaller {
namespace {

TEST(Time, InstantsRoundTrip) {
  for (const char* text :
       {"2026-12-18T18:00:00Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:59.007Z"}) {
    EXPECT_EQ(format_instant(parse_instant(text).value()), text);
  }
  EXPECT_EQ(parse_instant("2026-12-18T18:00:00+01:00"), parse_instant("2026-12-18T17:00Z"));
  for (const char* text :
       {"", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-12-18T18:00:00", "2026-12-18",
        "2026-12-18T24:00:00Z", "2026-12-18T18:00:00Zx"}) {
    EXPECT_FALSE(parse_instant(text)) << text;
  }
}

TEST(Time, DurationsRoundTrip) {
  EXPECT_EQ(parse_duration("1h30m").value(), minutes(90));
  EXPECT_EQ(parse_duration("1.5h").value(), minutes(90));
  EXPECT_EQ(parse_duration("250ms").value(), Duration(250));
  EXPECT_EQ(parse_duration("2w").value(), hours(336));
  EXPECT_EQ(format_duration(minutes(90) + Duration(5)), "1h30m5ms");
  EXPECT_EQ(format_duration(Duration(0)), "0s");
  for (const char* text :
       {"", "5", "m", "1m1h", "-5s", "1h 30m", "1e3s", "inf", "101w1y", "9999999w"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("ab", "c"), sha256("abc"));
  EXPECT_EQ(murmur3_32("hello"), 0x248bfa47u);
  EXPECT_EQ(murmur3_32(""), 0u);
  EXPECT_EQ(murmur3_32("hello, world"), 0x149bbb7fu);
  EXPECT_EQ(from_hex("00ff").value(), std::string("\0\xff", 2));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("zz"));
}

TEST(JsonHash, IsOfTheValueAndNotOfItsOrder) {
  const auto hash = [](std::string_view text) { return json_hash(*parse_json(text)); };
  EXPECT_EQ(hash(R"({"a":1,"b":[true,null,"x"]})"), hash(R"({"b":[true,null,"x"],"a":1})"));
  EXPECT_EQ(hash("18446744073709551615"), hash("18446744073709551615"));
  std::map<std::uint64_t, std::string_view> seen;
  for (const std::string_view text : {"null",
                                      "false",
                                      "true",
                                      "0",
                                      "1",
                                      "-1",
                                      "1.0",
                                      "18446744073709551615",
                                      R"("")",
                                      R"("1")",
                                      R"("null")",
                                      "[]",
                                      "{}",
                                      "[1]",
                                      "[[1]]",
                                      "[1,2]",
                                      "[2,1]",
                                      "[[1],2]",
                                      R"({"a":1})",
                                      R"({"a":2})",
                                      R"({"b":1})",
                                      R"({"1":"a"})",
                                      R"({"a":"1"})",
                                      R"({"a":1,"b":2})",
                                      R"({"a":2,"b":1})",
                                      R"({"a":{"b":1}})",
                                      R"([{"a":1},{"b":1}])",
                                      R"([{"b":1},{"a":1}])"}) {
    const auto [at, is_new] = seen.emplace(hash(text), text);
    EXPECT_TRUE(is_new) << text << " and " << at->second;
  }
}

// A copy takes its memory from where the value lives: of a sealed arena, from the heap, on any
// thread and for longer than the value.
TEST(JsonArena, GivesCopiesMemoryOfTheirOwn) {
  std::string text = "[";
  for (int i = 0; i < 1'000; ++i) {
    text += R"({"flag":"a name that is no short one","weights":[1,2.5,null,true]},)";
  }
  text.back() = ']';
  std::vector<json::value> copies(8);
  {
    const auto value = parse_json_for_reading(text);
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(to_json_text(*value), to_json_text(*parse_json(text)));
    std::vector<std::thread> readers;
    for (json::value& copy : copies) readers.emplace_back([&copy, &value] { copy = value->at(7); });
    for (std::thread& reader : readers) reader.join();
    copies.push_back(*value);
  }
  for (json::value& copy : copies) {
    if (copy.is_object()) copy.get_object()["more"] = std::string(1'000, 'x');
    EXPECT_FALSE(to_json_text(copy).empty());
  }
  EXPECT_EQ(to_json_text(copies.back()), to_json_text(*parse_json(text)));
  const auto broken = parse_json_for_reading("{\"a\":[1,}");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message.substr(0, 4), "1:9:");
}

TEST(Json, NumbersAreShortAndExact) {
  EXPECT_EQ(to_json_text({{"a", 0.1 + 0.2}, {"b", 1.0}, {"c", 1}, {"d", "x\n\x01"}}),
            "{\"a\":0.30000000000000004,\"b\":1.0,\"c\":1,\"d\":\"x\\n\\u0001\"}");
  EXPECT_EQ(to_canonical_json_text(json::value{{"b", 1}, {"a", 2}}), "{\"a\":2,\"b\":1}");
}

// A record that is read again has to be what was written, to the last digit of its statistics.
TEST(Json, DoublesComeBackToTheLastBit) {
  for (const double value :
       {9.942790666842205, 0.990374331550802, 0.1, 5e-324, 1.7976931348623157e308}) {
    const auto read = parse_json(to_json_text(json::array{value}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->get_array()[0].get_double(), value);
  }
  Random random(7);
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.normal() * std::exp(40 * random.normal());
    const auto read = parse_json(to_json_text(json::value(value)));
    ASSERT_TRUE(read);
    ASSERT_EQ(read->get_double(), value) << to_json_text(json::value(value));
  }
  EXPECT_EQ(parse_json("1e999")->get_double(), std::numeric_limits<double>::infinity());
}

TEST(Json, WhatIsWrittenCanBeReadWhateverItsBytes) {
  std::string out;
  append_json_string(&out, "k\xff \xc3\xa9 \xe2\x82 \xed\xa0\x80 \xf0\x9f\x8e\xae\xc3");
  EXPECT_EQ(out,
            "\"k\xEF\xBF\xBD \xc3\xa9 \xEF\xBF\xBD\xEF\xBF\xBD "
            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xf0\x9f\x8e\xae\xEF\xBF\xBD\"");
  EXPECT_TRUE(parse_json(out));
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_TRUE(parse_json(to_json_text(json::object{{std::string(1, char(byte)), byte}}))) << byte;
  }
  EXPECT_FALSE(parse_json("{\"key\":\"k\xff\"}"));
}

TEST(Json, ErrorsHaveAPosition) {
  EXPECT_TRUE(parse_json("{\"a\":\n  oops}").error().message.starts_with("2:3:"));
  EXPECT_FALSE(parse_json("{} x"));
  EXPECT_FALSE(parse_json("{\"a\":"));
  EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')));
}

TEST(Random, DistributionsHaveTheirMoments) {
  Random random(7);
  const auto mean_of = [](int n, auto draw) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += double(draw());
    return sum / n;
  };
  EXPECT_NEAR(mean_of(100'000, [&] { return random.uniform(); }), 0.5, 0.01);
  EXPECT_NEAR(mean_of(100'000, [&] { return random.normal(); }), 0, 0.02);
  EXPECT_NEAR(mean_of(100'000, [&] { return random.exponential(3); }), 3, 0.05);
  EXPECT_NEAR(mean_of(100'000, [&] { return random.poisson(4); }), 4, 0.05);
  EXPECT_NEAR(mean_of(100'000, [&] { return random.poisson(250); }), 250, 0.5);
  EXPECT_NEAR(mean_of(100'000, [&] { return random.binomial(20, 0.1); }), 2, 0.03);
  EXPECT_NEAR(mean_of(100'000, [&] { return random.binomial(1000, 0.7); }), 700, 0.5);
  EXPECT_EQ(Random(5).next(), Random(5).next());
}

// Beyond each cut lies as much as under the curve.
TEST(Random, QuickNormalsAreNormal) {
  constexpr int kDraws = 2'000'000;
  constexpr double kCuts[] = {0, 0.1, 0.5, 1, 1.8, 2.5, 3.3, 3.5, 4};
  Random random(11);
  double sum = 0, squares = 0;
  std::array<int, std::size(kCuts)> above{}, below{};
  for (int i = 0; i < kDraws; ++i) {
    const double z = random.quick_normal();
    sum += z;
    squares += z * z;
    for (std::size_t c = 0; c < std::size(kCuts); ++c) {
      above[c] += z > kCuts[c];
      below[c] += z < -kCuts[c];
    }
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.004);
  EXPECT_NEAR(squares / kDraws, 1, 0.005);
  for (std::size_t c = 0; c < std::size(kCuts); ++c) {
    const double expected = kDraws * 0.5 * std::erfc(kCuts[c] / std::sqrt(2.0));
    EXPECT_NEAR(above[c], expected, 5 * std::sqrt(expected)) << kCuts[c];
    EXPECT_NEAR(below[c], expected, 5 * std::sqrt(expected)) << -kCuts[c];
  }
}

TEST(Suggest, FindsTheTypo) {
  const std::vector<std::string> known{"exposure", "regions", "bake"};
  EXPECT_EQ(nearest_word("exposrue", known), "exposure");
  EXPECT_EQ(nearest_word("bakes", known), "bake");
  EXPECT_EQ(nearest_word("zzz", known), std::nullopt);
}

}  // namespace
}  // namespace showcaller
