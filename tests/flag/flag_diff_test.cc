// SPDX-License-Identifier: Apache-2.0
// Differences of flags: by meaning, and by whose answer is another.
#include "flag/flag_diff.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace showcaller {
namespace {

json::object document(std::string_view text) {
  return parse_json(text).value().as_object();
}

std::string told(const std::vector<FlagDifference>& differences) {
  std::string out;
  for (const FlagDifference& each : differences) {
    out += fmt::format("{} {}", to_string(each.kind), each.flag);
    for (const std::string& key : each.keys) out += " " + key;
    if (each.answers.asked > 0)
      out += fmt::format(" {}/{}", each.answers.changed, each.answers.asked);
    for (const auto& move : each.answers.moves)
      out += fmt::format(" {}>{}:{}", move.from, move.to, move.contexts);
    out += "\n";
  }
  return out;
}

constexpr std::string_view kBefore = R"({
  "$evaluators": {"staff": {"in": [{"var": "group"}, ["staff"]]}},
  "flags": {
    "door": {"state": "ENABLED", "variants": {"open": 1, "shut": 0}, "defaultVariant": "shut",
             "targeting": {"if": [{"$ref": "staff"}, "open", null]}},
    "bell": {"variants": {"loud": 1}, "defaultVariant": "loud"},
    "gone": {"state": "ENABLED", "variants": {"a": 1}, "defaultVariant": "a"}}})";
constexpr std::string_view kAfter = R"({
  "flags": {
    "door": {"state": "ENABLED", "variants": {"open": 1, "shut": 0}, "defaultVariant": "shut",
             "targeting": {"if": [{"in": [{"var": "group"}, ["staff", "qa"]]}, "open", null]}},
    "bell": {"state": "ENABLED", "variants": {"loud": 1}, "defaultVariant": "loud", "targeting": {}},
    "new": {"state": "ENABLED", "variants": {"a": 1}, "defaultVariant": "a"}}})";

TEST(FlagDiff, TellsWhatIsMeantDifferently) {
  EXPECT_EQ(told(diff_flags(document(kBefore), document(kAfter), {}, {}).value()),
            "changed door targeting\nremoved gone\nadded new\n");
}

TEST(FlagDiff, ARuleThatIsOnlyNamedIsTheSameRule) {
  const auto inlined = document(R"({"flags": {"door": {"state": "ENABLED",
    "variants": {"open": 1, "shut": 0}, "defaultVariant": "shut",
    "targeting": {"if": [{"in": [{"var": "group"}, ["staff"]]}, "open", null]}}}})");
  auto named = document(kBefore);
  named["flags"].as_object().erase("bell");
  named["flags"].as_object().erase("gone");
  EXPECT_EQ(told(diff_flags(named, inlined, {}, {}).value()), "");
}

TEST(FlagDiff, SaysForWhomTheAnswerIsAnother) {
  std::vector<json::object> who;
  for (int i = 0; i < 8; ++i)
    who.push_back({{"targetingKey", fmt::format("p-{}", i)},
                   {"group", i == 0  ? "staff"
                             : i < 3 ? "qa"
                                     : "player"}});
  EXPECT_EQ(told(diff_flags(document(kBefore), document(kAfter), who, {}).value()),
            "changed door targeting 2/8 shut>open:2\nremoved gone\nadded new\n");
}

}  // namespace
}  // namespace showcaller
