// SPDX-License-Identifier: Apache-2.0
// The compiled evaluator against the naive one, over random rules and data. A failure prints the
// seed, the rule and the data; SHOWCALLER_SEED and SHOWCALLER_ROUNDS choose others.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "flag/logic.h"
#include "tests/flag/reference_logic.h"
#include "tests/flag/seeds.h"

namespace showcaller {
namespace {

class RuleMaker {
 public:
  explicit RuleMaker(std::uint64_t seed) : random_(seed) {}

  json::value data() {
    json::object out{{"targetingKey", "u" + std::to_string(random_.below(1000))}};
    for (const char* key : {"a", "b", "c", "list", "deep"}) {
      if (random_.chance(0.8)) out[key] = any(2);
    }
    out["numbers"] = json::array{1, 2, 3, std::int64_t(random_.below(9))};
    out["items"] = json::array{json::object{{"q", 1}, {"s", "x"}}, json::object{{"q", 2}}};
    return out;
  }

  json::value rule(int depth) {
    if (depth == 0 || random_.chance(0.15)) return random_.chance(0.5) ? variable() : any(1);
    if (random_.chance(0.08)) return list(depth, random_.below(4));
    static const std::vector<std::string> kNames{"if",        "?:",          "and",
                                                 "or",        "!",           "!!",
                                                 "==",        "!=",          "===",
                                                 "!==",       "<",           "<=",
                                                 ">",         ">=",          "max",
                                                 "min",       "+",           "-",
                                                 "*",         "/",           "%",
                                                 "map",       "filter",      "reduce",
                                                 "all",       "none",        "some",
                                                 "merge",     "in",          "cat",
                                                 "substr",    "missing",     "missing_some",
                                                 "var",       "starts_with", "ends_with",
                                                 "fractional"};
    const std::string& name = kNames[random_.below(kNames.size())];
    return json::object{{name, arguments(name, depth - 1)}};
  }

 private:
  json::value any(int depth) {
    switch (random_.below(depth > 0 ? 12 : 10)) {
      case 0:
        return nullptr;
      case 1:
        return random_.chance(0.5);
      case 2:
        return std::int64_t(random_.below(20)) - 5;
      case 3:
        return double(random_.below(1000)) / 8 - 20;
      case 4:
        return "";
      case 5:
        return json::value(std::to_string(random_.below(30)));
      case 6:
        return " 1.5e1 ";
      case 7:
        return "12abc";
      case 8:
        return json::value(std::string(1 + random_.below(6), char('a' + random_.below(4))));
      case 9:
        return double(random_.below(1u << 30)) * 1e15 + 0.5;
      case 10: {
        json::array out;
        for (std::uint64_t i = random_.below(4); i > 0; --i) out.push_back(any(depth - 1));
        return out;
      }
      default:
        return json::object{{"q", any(depth - 1)}, {"r", any(depth - 1)}};
    }
  }

  json::value variable() {
    static const std::vector<std::string> kPaths{
        "a",        "b",         "c",       "list",        "deep.q",
        "numbers",  "numbers.1", "items",   "items.0.q",   "q",
        "s",        "",          "current", "accumulator", "targetingKey",
        "a.length", "list.0",    "a.0",     "absent.far",  "current.q"};
    const std::string& path = kPaths[random_.below(kPaths.size())];
    if (random_.chance(0.7)) return json::object{{"var", path}};
    return json::object{{"var", json::array{path, any(0)}}};
  }

  json::array list(int depth, std::uint64_t size) {
    json::array out;
    for (std::uint64_t i = 0; i < size; ++i) out.push_back(rule(depth - 1 > 0 ? depth - 1 : 0));
    return out;
  }

  json::value arguments(const std::string& name, int depth) {
    const auto source = [&]() -> json::value {
      static const std::vector<std::string> kLists{"numbers", "items", "list"};
      return random_.chance(0.7) ? json::value(json::object{{"var", kLists[random_.below(3)]}})
                                 : rule(depth);
    };
    if (name == "map" || name == "filter" || name == "all" || name == "none" || name == "some") {
      return json::array{source(), rule(depth)};
    }
    if (name == "reduce") return json::array{source(), rule(depth), any(1)};
    if (name == "var")
      return json::array{random_.chance(0.5) ? json::value("a") : rule(depth), any(0)};
    if (name == "missing_some")
      return json::array{std::int64_t(random_.below(3)), json::array{"a", "b", "zz"}};
    if (name == "missing") return json::array{"a", "zz", "deep.q"};
    if (name == "fractional") return fractional(depth);
    if (name == "*" || name == "cat") return list(depth, 1 + random_.below(11));
    // Of nothing these give undefined, which the naive interpreter cannot keep in a list.
    if (name == "and" || name == "or") return list(depth, 1 + random_.below(3));
    if (random_.chance(0.1)) return any(0);  // an argument without a list around it
    return list(depth, random_.below(4));
  }

  json::value fractional(int depth) {
    json::array out;
    if (random_.chance(0.7)) {
      out.push_back(random_.chance(0.6)
                        ? json::value(json::object{{"cat", json::array{"salt", variable()}}})
                        : rule(depth));
    }
    for (std::uint64_t i = random_.below(4); i > 0; --i) {
      json::array bucket{random_.chance(0.8) ? json::value("v" + std::to_string(i)) : rule(depth)};
      if (random_.chance(0.8)) {
        bucket.push_back(random_.chance(0.8) ? json::value(std::int64_t(random_.below(100)) - 3)
                                             : rule(depth));
      }
      out.push_back(std::move(bucket));
    }
    return out;
  }

  Random random_;
};

// JSON has two ways to write a whole number and none for NaN; here they are one.
json::value plain(const json::value& value) {
  if (value.is_array()) {
    json::array out;
    for (const auto& item : value.get_array()) out.push_back(plain(item));
    return out;
  }
  if (value.is_object()) {
    json::object out;
    for (const auto& [key, item] : value.get_object()) out[key] = plain(item);
    return out;
  }
  return value.is_number() ? reference::from_number(value.to_number<double>()) : value;
}
std::string comparable(const json::value& value) {
  return to_canonical_json_text(plain(value));
}

TEST(Differential, RandomRulesGiveWhatTheNaiveInterpreterGives) {
  const std::uint64_t seed = from_environment("SHOWCALLER_SEED", 20261);
  const std::uint64_t rounds = from_environment("SHOWCALLER_ROUNDS", 40'000);
  int compared = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    RuleMaker maker(seed + round);
    const json::value data = maker.data();
    const json::value rule = maker.rule(4);
    const auto logic = Logic::compile(rule);
    ASSERT_TRUE(logic) << logic.error().message << "\n" << to_json_text(rule);
    const EvaluationContext context(data.get_object());
    const auto ours = logic->apply(context, instant_ms(1000), "flag");
    json::value seen = data;
    seen.get_object()["$flagd"] = json::object{{"flagKey", "flag"}, {"timestamp", 1}};
    reference::compared_by_identity = false;
    const auto theirs = reference::Interpreter({.flag_key = "flag"}).run(rule, seen);
    // A rule that ran out of budget, or asked for identity: the naive one knows neither.
    if (!ours || reference::compared_by_identity) continue;
    ++compared;
    ASSERT_EQ(comparable(*ours), comparable(theirs.value_or(nullptr)))
        << "SHOWCALLER_SEED=" << seed + round << " SHOWCALLER_ROUNDS=1\n"
        << to_json_text(rule) << "\nover " << to_json_text(data);
  }
  EXPECT_GT(compared, int(rounds * 9 / 10));
}

}  // namespace
}  // namespace showcaller
