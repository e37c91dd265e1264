// SPDX-License-Identifier: Apache-2.0
// "Another flag gives this variant", written into a flag's targeting: the answer is that of the
// other flag itself, whoever evaluates it and whatever it goes by.
#include "flag/prerequisite_rule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "flag/flag_set.h"

namespace showcaller {
namespace {

const json::object& evaluators() {
  static const json::object kEvaluators =
      parse_json(R"({"door/staff": {"==": [{"var": "group"}, "staff"]},
                     "door/half": {"fractional": [["open", 1], ["shut", 1]]},
                     "door/both": {"if": [{"$ref": "door/staff"}, {"$ref": "door/half"}, null]}})")
          .value()
          .as_object();
  return kEvaluators;
}

constexpr const char* kRules[] = {
    R"({})",
    R"({"if": [{"$ref": "door/staff"}, "open", null]})",
    R"({"fractional": [["open", 30], ["shut", 50], ["ajar", 20]]})",
    R"({"fractional": [null, ["open", 30], ["shut", 70]]})",
    R"({"fractional": [{"var": "party"}, ["open", 30], ["shut", 70]]})",
    R"({"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "party"}]}, ["open", 1], ["shut", 1]]})",
    R"({"if": [{"==": [{"var": "$flagd.flagKey"}, "door"]}, {"$ref": "door/both"}, "ajar"]})",
    R"({"rollout": [1000, 2000, "shut", "open"]})",
    R"({"rollout": [{"var": "party"}, 1000, 2000, "open"]})",
    R"({"if": [{"$ref": "door/staff"}, true, "no such variant"]})",
    R"({"if": [{"$ref": "door/staff"}, 1, false]})"};

json::object door() {
  json::object flag =
      parse_json(R"({"state": "ENABLED", "variants": {"open": 1, "shut": 2, "ajar": 3,
    "true": 4, "false": 5, "1": 6}})")
          .value()
          .as_object();
  flag["defaultVariant"] =
      *rc::gen::element(json::value(nullptr), json::value("shut"), json::value("open"));
  if (*rc::gen::inRange(0, 10) == 0) flag["state"] = "DISABLED";
  flag["targeting"] = parse_json(*rc::gen::elementOf(std::vector<std::string>(std::begin(kRules),
                                                                              std::end(kRules))))
                          .value();
  return flag;
}

json::object any_context() {
  json::object who;
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      break;
    case 1:
      who["targetingKey"] = 17;
      break;
    case 2:
      who["targetingKey"] = "";
      break;
    default:
      who["targetingKey"] = fmt::format("p-{}", *rc::gen::inRange(0, 1000));
  }
  if (*rc::gen::arbitrary<bool>()) who["group"] = "staff";
  if (*rc::gen::arbitrary<bool>()) who["party"] = fmt::format("q-{}", *rc::gen::inRange(0, 1000));
  return who;
}

TEST(PrerequisiteRule, HoldsWhereTheOtherFlagGivesTheVariant) {
  EXPECT_TRUE(rc::check("the condition inside another flag is the flag's own answer", [] {
    const json::object needed = door();
    const std::string variant = *rc::gen::element<std::string>("open", "shut", "ajar", "true", "1");
    const json::object lobby{
        {"state", "ENABLED"},
        {"variants", {{"on", true}, {"off", false}}},
        {"defaultVariant", "off"},
        {"targeting",
         {{"if", json::array{gives_variant(needed, "door", variant, evaluators()), "on", "off"}}}}};
    const FlagSet set =
        FlagSet::compile(json::object{{"$evaluators", evaluators()},
                                      {"flags", {{"door", needed}, {"lobby", lobby}}}})
            .value();
    RC_ASSERT(set.broken().empty());
    const json::object who = any_context();
    const Instant now = instant_ms(*rc::gen::inRange(900, 2100) * 1000);
    const Evaluation given = set.evaluate("door", EvaluationContext(who), now);
    const bool holds = given.value && given.variant == variant;
    RC_ASSERT((set.evaluate("lobby", EvaluationContext(who), now).variant == "on") == holds);
  }));
}

}  // namespace
}  // namespace showcaller
