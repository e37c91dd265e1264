// SPDX-License-Identifier: Apache-2.0
// Rules as games write them, over attributes that are sometimes not what the rule expects: whatever
// way a rule is evaluated, it gives what the naive interpreter gives. Counts which steps were
// compiled, so that none goes untested. A failure prints the seed; SHOWCALLER_SEED and
// SHOWCALLER_ROUNDS choose others.
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "flag/flag_set.h"
#include "flag/logic.h"
#include "flag/logic_compiler.h"
#include "tests/flag/reference_logic.h"
#include "tests/flag/seeds.h"

namespace showcaller {
namespace {

json::value operation(std::string_view name, json::array arguments) {
  json::object out;
  out.emplace(name, std::move(arguments));
  return out;
}
json::value var(std::string_view path) {
  return json::object{{"var", path}};
}

class GameRuleMaker {
 public:
  explicit GameRuleMaker(std::uint64_t seed) : random_(seed) {}

  json::object player() {
    json::object out;
    for (const char* key : {"targetingKey", "region", "tier"}) {
      if (random_.chance(0.9)) out[key] = random_.chance(0.85) ? word() : odd();
    }
    if (random_.chance(0.9)) out["level"] = random_.chance(0.8) ? number() : odd();
    if (random_.chance(0.9)) out["version"] = random_.chance(0.8) ? version() : odd();
    if (random_.chance(0.9))
      out["account"] = json::object{{"group", random_.chance(0.8) ? word() : odd()}};
    return out;
  }

  json::value rule(int depth) {
    switch (random_.below(depth > 0 ? 7 : 2)) {
      case 0:
        return outcome();
      case 1:
        return share();
      case 6:
        return operation(random_.chance(0.5) ? "and" : "or",
                         {condition(depth - 1), attribute(), rule(depth - 1)});
      case 2:
        return chain_of_one(depth);
      default:
        return chain(depth);
    }
  }

 private:
  json::value word() {
    static constexpr std::array kWords{"eu",       "us",        "ap",        "gold", "free",
                                       "player-1", "player-22", "bot-37",    "1.4",  "20",
                                       "",         "true",      "caf\u00e9", "0x10"};
    return json::value(kWords[random_.below(kWords.size())]);
  }
  json::value number() {
    return random_.chance(0.8) ? json::value(std::int64_t(random_.below(40)))
                               : json::value(double(random_.below(80)) / 4);
  }
  json::value version() {
    static constexpr std::array kVersions{"1.4.0",   "1.4",         "1",           "v1.5.2",
                                          "2.0.0",   "1.3.9",       "1.4.",        "01.0.0",
                                          "1.4.0.0", "1000000.0.1", "9999999.0.0", "1.x"};
    return json::value(kVersions[random_.below(kVersions.size())]);
  }
  json::value odd() {
    switch (random_.below(7)) {
      case 0:
        return nullptr;
      case 1:
        return random_.chance(0.5);
      case 2:
        return number();
      case 3:
        return word();
      case 4:
        return version();
      case 5:
        return json::array{word()};
      default:
        return json::object{{"name", word()}, {"id", 7}};
    }
  }
  json::value outcome() {
    static constexpr std::array kOutcomes{"on", "off", "canary"};
    if (random_.chance(0.1)) return odd();
    return json::value(kOutcomes[random_.below(kOutcomes.size())]);
  }
  json::value attribute() {
    static constexpr std::array kPaths{"targetingKey", "region", "tier",          "level",
                                       "version",      "absent", "account.group", "account.name"};
    const char* path = kPaths[random_.below(kPaths.size())];
    if (random_.chance(0.1)) return json::object{{"var", json::array{path, nullptr}}};
    if (random_.chance(0.05)) return json::object{{"var", json::array{path, odd()}}};
    return var(path);
  }

  json::value share() {
    json::array out;
    switch (random_.below(5)) {
      case 0:
        break;
      case 1:
        out.push_back(operation("cat", {word(), attribute()}));
        break;
      case 2:
        out.push_back(operation("cat", {var("$flagd.flagKey"), word(), attribute()}));
        break;
      default:
        out.push_back(attribute());
    }
    for (std::uint64_t i = random_.below(6); i > 0; --i) {
      json::array bucket{outcome()};
      if (random_.chance(0.8)) bucket.push_back(std::int64_t(random_.below(50)));
      out.push_back(std::move(bucket));
    }
    return operation("fractional", std::move(out));
  }

  json::value condition(int depth) {
    static constexpr std::array kOrders{"<", "<=", ">", ">=", "==", "===", "!=", "!=="};
    switch (random_.below(depth > 0 ? 13 : 9)) {
      case 0:
        return operation(kOrders[4 + random_.below(4)], turned(attribute(), word()));
      case 1:
        return operation(kOrders[random_.below(8)], turned(attribute(), number()));
      case 2: {
        json::array list;
        for (std::uint64_t i = random_.below(7); i > 0; --i)
          list.push_back(random_.chance(0.8) ? word() : random_.chance(0.8) ? number() : odd());
        return operation("in", {attribute(), std::move(list)});
      }
      case 3: {
        static constexpr std::array kHow{"=", "!=", "<", "<=", ">", ">=", "^", "~", "=="};
        return operation("sem_ver", {attribute(), kHow[random_.below(kHow.size())], version()});
      }
      case 4:
        return operation(random_.chance(0.5) ? "starts_with" : "ends_with", {attribute(), word()});
      case 5:
        return operation(random_.chance(0.5) ? "<" : "<=", {number(), attribute(), number()});
      case 6:
        return attribute();
      case 7:
        return operation(kOrders[random_.below(8)], {odd(), attribute()});
      case 8:
        return operation("==", {share(), outcome()});
      case 9:
        return operation(random_.chance(0.5) ? "!" : "!!", {condition(depth - 1)});
      case 10:
        return chain(depth - 1);
      default: {
        json::array list;
        for (std::uint64_t i = 1 + random_.below(3); i > 0; --i)
          list.push_back(condition(depth - 1));
        return operation(random_.chance(0.5) ? "and" : "or", std::move(list));
      }
    }
  }
  json::array turned(json::value a, json::value b) {
    return random_.chance(0.7) ? json::array{std::move(a), std::move(b)}
                               : json::array{std::move(b), std::move(a)};
  }

  json::value chain(int depth) {
    json::array out;
    for (std::uint64_t i = 1 + random_.below(4); i > 0; --i) {
      out.push_back(condition(depth - 1));
      out.push_back(rule(depth - 1));
    }
    if (random_.chance(0.7)) out.push_back(rule(depth - 1));
    return operation(random_.chance(0.9) ? "if" : "?:", std::move(out));
  }

  // As a table: one attribute against one text after another, in one `if` or nested ones.
  json::value chain_of_one(int depth) {
    const json::value what = attribute();
    json::value out = random_.chance(0.5) ? outcome() : json::value(nullptr);
    for (std::uint64_t i = 3 + random_.below(5); i > 0; --i) {
      json::value test = operation(random_.chance(0.8) ? "==" : "===", turned(what, word()));
      if (random_.chance(0.3)) test = operation("and", {std::move(test), condition(depth - 1)});
      if (random_.chance(0.1)) test = condition(depth - 1);
      const auto* chained = out.if_object();
      if (chained != nullptr && chained->contains("if") && random_.chance(0.5)) {
        json::array rows{std::move(test), outcome()};
        for (const auto& item : chained->at("if").as_array()) rows.push_back(item);
        out = operation("if", std::move(rows));
      } else {
        out = operation("if", {std::move(test), outcome(), std::move(out)});
      }
    }
    return out;
  }

  Random random_;
};

std::string told(const Evaluation& e) {
  return std::string(to_string(e.reason)) + " " + std::string(to_string(e.error)) + " " +
         std::string(e.variant) + " " + (e.value != nullptr ? to_json_text(*e.value) : "-");
}

// What a flag answers where its rule gives this.
std::string expected_answer(const reference::Maybe& given) {
  if (!given || given->is_null()) return "DEFAULT  off 0";
  const std::string name = reference::text_of(given);
  if (name == "on") return "TARGETING_MATCH  on 1";
  if (name == "off") return "TARGETING_MATCH  off 0";
  if (name == "canary") return "TARGETING_MATCH  canary \"c\"";
  if (name == "true") return "TARGETING_MATCH  true {\"t\":1}";
  if (name == "20") return "TARGETING_MATCH  20 20";
  return "ERROR GENERAL  -";
}

void count_steps(const json::value& rule, std::array<int, kRuleSteps>* counts) {
  Program program;
  LogicCompiler compiler(&program, {}, nullptr);
  ASSERT_TRUE(compiler.compile(rule, ""));
  for (const Instruction& step : program.steps) ++(*counts)[std::size_t(step.step)];
}

TEST(Decisions, EveryWayOfEvaluatingGivesWhatTheNaiveInterpreterGives) {
  const std::uint64_t seed = from_environment("SHOWCALLER_SEED", 60'001);
  const std::uint64_t rounds = from_environment("SHOWCALLER_ROUNDS", 4'000);
  constexpr Instant kNow = instant_ms(1'000);
  std::array<int, kRuleSteps> counts{};
  for (std::uint64_t round = 0; round < rounds; ++round) {
    GameRuleMaker maker(seed + round);
    const json::value rule = maker.rule(3);
    count_steps(rule, &counts);
    const json::object flag{
        {"state", "ENABLED"},
        {"variants", {{"on", 1}, {"off", 0}, {"canary", "c"}, {"true", {{"t", 1}}}, {"20", 20}}},
        {"defaultVariant", "off"},
        {"targeting", rule}};
    const auto set = FlagSet::compile(json::object{{"flags", {{"f", flag}}}});
    ASSERT_TRUE(set);
    const auto logic = Logic::compile(rule);
    ASSERT_TRUE(logic);
    for (int i = 0; i < 4; ++i) {
      json::object player = maker.player();
      const json::object plain = player;
      player["$flagd"] = json::object{{"flagKey", "f"}, {"timestamp", 1}};
      reference::compared_by_identity = false;
      const auto given = reference::Interpreter({.flag_key = "f"}).run(rule, json::value(player));
      if (reference::compared_by_identity) continue;
      const std::string where = "SHOWCALLER_SEED=" + std::to_string(seed + round) +
                                " SHOWCALLER_ROUNDS=1\n" + to_json_text(rule) + "\nover " +
                                to_json_text(plain);
      const EvaluationContext parsed(plain);
      EvaluationContext built;
      for (const auto& [key, value] : plain) built.set({key.data(), key.size()}, value);
      const std::string expected = rule.is_null() || (rule.is_object() && rule.get_object().empty())
                                       ? "STATIC  off 0"
                                       : expected_answer(given);
      ASSERT_EQ(told(set->evaluate("f", parsed, kNow)), expected) << where;
      ASSERT_EQ(told(set->evaluate("f", built, kNow)), expected) << where;
      ASSERT_EQ(told(set->evaluate(set->handle("f"), set->intern(built), kNow)), expected) << where;
      const auto over_data = logic->apply(json::value(player));
      const auto over_context = logic->apply(built, kNow, "f");
      ASSERT_TRUE(over_data && over_context) << where;
      const std::string result = reference::text_of(given.value_or(nullptr));
      ASSERT_EQ(reference::text_of(*over_data), result) << where;
      ASSERT_EQ(reference::text_of(*over_context), result) << where;
      const auto truth = logic->test(json::value(player));
      ASSERT_TRUE(truth && *truth == reference::truth(given)) << where;
    }
  }
  if (rounds < 4'000) return;
  for (int step = 0; step < kRuleSteps; ++step)
    EXPECT_GT(counts[std::size_t(step)], 100) << "step " << step << " is hardly ever compiled";
}

}  // namespace
}  // namespace showcaller
