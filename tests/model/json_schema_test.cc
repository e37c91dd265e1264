// SPDX-License-Identifier: Apache-2.0
// Documents against JSON Schema: the place and the rule of each mistake, and schemas that are none.
#include "model/json_schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace showcaller {
namespace {

std::string told(std::string_view schema, std::string_view document) {
  const auto compiled = JsonSchema::compile(parse_json(schema).value());
  if (!compiled) return compiled.error().message;
  std::string out;
  for (const SchemaFinding& finding : compiled->check(parse_json(document).value()))
    out += fmt::format("{}: {}\n", finding.pointer, finding.rule);
  return out;
}

constexpr std::string_view kDrops = R"({"type": "object", "required": ["table"],
  "additionalProperties": false,
  "properties": {"table": {"type": "array", "items": {"$ref": "#/definitions/drop"}},
                 "a/b": {"type": "integer"}},
  "definitions": {"drop": {"type": "object", "required": ["weight"],
                           "properties": {"weight": {"type": "integer", "minimum": 1},
                                          "name": {"type": "string", "pattern": "^[a-z]+$"}}}}})";

TEST(JsonSchema, AGoodDocumentHasNoFindings) {
  EXPECT_EQ(told(kDrops, R"({"table": [{"weight": 3, "name": "sword"}]})"), "");
}

TEST(JsonSchema, EachMistakeHasItsPlaceAndTheRuleItBreaks) {
  EXPECT_EQ(told(kDrops, R"({"table": [{"weight": 0}, {"name": "Sword", "weight": 1}]})"),
            "/table/0/weight: Expected number greater than or equal to 1.000000\n"
            "/table/1/name: Failed to match regex specified by 'pattern' constraint.\n");
  EXPECT_EQ(told(kDrops, R"({"table": [], "a/b": "x"})"),
            "/a~1b: Value type not permitted by 'type' constraint.\n");
  EXPECT_EQ(told(kDrops, R"({})"), ": Missing required property 'table'.\n");
  const std::string extra = told(kDrops, R"({"table": [], "more": 1})");
  EXPECT_NE(extra.find("'more'"), std::string::npos) << extra;
}

TEST(JsonSchema, WhatIsNoSchemaIsRefused) {
  EXPECT_NE(told(R"({"type": "money"})", "1").find("no JSON Schema"), std::string::npos);
  EXPECT_NE(told(R"([1])", "1").find("a schema is an object"), std::string::npos);
  EXPECT_NE(told(R"({"$ref": "https://elsewhere/x.json"})", "1").find("only its own parts"),
            std::string::npos);
}

// The library would follow it until the stack ends.
TEST(JsonSchema, ASchemaThatRefersToItselfInACircleIsRefused) {
  EXPECT_NE(told(R"({"properties": {"a": {"$ref": "#/definitions/a"}},
                     "definitions": {"a": {"allOf": [{"$ref": "#/definitions/a"}]}}})",
                 "{}")
                .find("in a circle"),
            std::string::npos);
  // A tree is no circle: each step goes into a part of the document.
  EXPECT_EQ(told(R"({"$ref": "#/definitions/t", "definitions": {"t": {"type": "object",
                    "properties": {"child": {"$ref": "#/definitions/t"}}}}})",
                 R"({"child": {"child": {}}})"),
            "");
}

// Patterns are matched by recursion, a step a character.
TEST(JsonSchema, ALongTextIsNotHeldAgainstAPattern) {
  const std::string text =
      R"({"table": [{"weight": 1, "name": ")" + std::string(100'000, 'a') + R"("}]})";
  EXPECT_NE(told(kDrops, text).find("longer than"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
