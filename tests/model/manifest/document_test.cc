// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/document.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace showcaller::manifest {
namespace {

struct Parsed {
  std::vector<Node> documents;
  std::vector<Finding> findings;
};

Parsed parse(std::string text, const DocumentLimits& limits = {}, std::string name = "a.yaml") {
  Parsed out;
  out.documents = parse_documents({std::move(name), std::move(text)}, 0, limits, &out.findings);
  return out;
}

std::string first_line(const Parsed& parsed) {
  return parsed.findings.empty() ? "" : format_finding_line(parsed.findings[0]);
}

TEST(Document, CoreSchemaScalars) {
  const Parsed parsed = parse(
      "a: on\nb: yes\nc: true\nd: 12\ne: 0x1F\nf: 1.5\ng: '12'\nh: 2.4.0\ni: ~\nj:\nk: "
      "2026-12-11T18:00\n"
      "l: 0o17\nm: 1e3\nn: .5\no: -7\np: 1_000\nq: 12:30:45\nr: +3\n");
  ASSERT_EQ(parsed.documents.size(), 1u) << first_line(parsed);
  EXPECT_EQ(
      to_json_text(to_json(parsed.documents[0])),
      R"({"a":"on","b":"yes","c":true,"d":12,"e":31,"f":1.5,"g":"12","h":"2.4.0","i":null,"j":null,)"
      R"("k":"2026-12-11T18:00","l":15,"m":1000.0,"n":0.5,"o":-7,"p":"1_000","q":"12:30:45","r":3})");
}

// The texts in single quotes are read here, those in double quotes by the library: lines fold
// alike.
TEST(Document, QuotedTextsFoldAlike) {
  const auto read = [](const std::string& text, char quote) {
    std::string quoted = "k: ";
    quoted += quote;
    for (const char c : text) quoted += c == '\'' && quote == '\'' ? "''" : std::string(1, c);
    quoted += quote;
    const Parsed parsed = parse(quoted + "\n");
    return parsed.documents.size() == 1 ? to_json_text(to_json(parsed.documents[0])) : "refused";
  };
  EXPECT_EQ(read(" a'b''c ", '\''), R"({"k":" a'b''c "})");
  EXPECT_EQ(read("'''''", '\''), R"({"k":"'''''"})");
  EXPECT_EQ(read("é'  \n   b\n \n  c\r\n d", '\''), R"({"k":"é' b\nc d"})");
  Random random(7);
  constexpr std::string_view kLetters = "ab' '  \n\n";
  int folded = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string text;
    for (auto left = random.below(30); left > 0; --left) {
      text += kLetters[random.below(kLetters.size())];
      if (text.back() == '\n') text += ' ';  // Further in than the key.
    }
    EXPECT_EQ(read(text, '\''), read(text, '"')) << text;
    folded += read(text, '"') != "refused" && text.find('\n') != std::string::npos;
  }
  EXPECT_GT(folded, 1'000);
}

TEST(Document, NodesKnowTheirPlace) {
  const Parsed parsed =
      parse("# c\nspec:\n  stages:\n    - { name: a }\n    - name: é\n      bake:   10m\n");
  ASSERT_EQ(parsed.documents.size(), 1u);
  const Node& bake = nearest_node(parsed.documents[0], "spec.stages[1].bake");
  EXPECT_EQ(bake.text, "10m");
  EXPECT_EQ(bake.position.line, 6);
  EXPECT_EQ(bake.position.column, 15);
  EXPECT_EQ(nearest_position(parsed.documents[0], "spec.stages[1].exposure").line, 5);
}

TEST(Document, ManyDocumentsAndEmptyOnes) {
  const Parsed parsed = parse("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n");
  ASSERT_EQ(parsed.documents.size(), 2u) << first_line(parsed);
  EXPECT_EQ(parsed.documents[1].entries[0].key, "b");
  EXPECT_EQ(to_json_text(to_json(parse("a: 1\r\nb: |\r\n  x\r\n").documents.at(0))),
            R"({"a":1,"b":"x\n"})");
  EXPECT_TRUE(parse("").documents.empty());
  EXPECT_TRUE(parse("# only words\n").documents.empty());
  EXPECT_TRUE(parse("\xEF\xBB\xBF").findings.empty());
}

TEST(Document, JsonKeepsPlacesAndIsStrict) {
  const Parsed good = parse("{\n\t\"a\": [1, -2.5, true, null, \"x\\u00e9\"]\n}\n", {}, "a.json");
  ASSERT_EQ(good.documents.size(), 1u) << first_line(good);
  EXPECT_EQ(to_json_text(to_json(good.documents[0])), R"({"a":[1,-2.5,true,null,"xé"]})");
  EXPECT_EQ(good.documents[0].entries[0].position.line, 2);
  EXPECT_EQ(first_line(parse("{\"a\": [1,]}", {}, "a.json")),
            "a.json:1:9: JSON disallows trailing comma before closing bracket");
  EXPECT_FALSE(parse("{a: 1}", {}, "a.json").findings.empty());
}

TEST(Document, DuplicateKeysTellBothPlaces) {
  EXPECT_EQ(
      first_line(parse("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")),
      "a.yaml:5:3: the key 'c' is written twice in one mapping; it is already at line 3, column 3");
}

TEST(Document, SyntaxErrorsCarryPlaces) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a:\n\tb: 1\n",
       "a.yaml:2:1: tab character may not be used as indentation; indent with spaces"},
      {"a: \"x\n", "a.yaml:1:5: double-quoted scalar without closing quote"},
      {"a: [1, 2\nb: 3\n",
       "a.yaml:3:1: flow sequence without a closing bracket; the '[' of line 1, column 4 is still "
       "open"},
      {"a: *x\n", "a.yaml:1:4: the alias '*x' names no anchor above it"},
      {"a: &x [1, *x]\n", "a.yaml:1:11: the alias '*x' contains itself"},
      {"? [1]\n: 2\n", "a.yaml:1:3: a key is not plain text; write keys as words"},
      {"<<: {a: 1}\n",
       "a.yaml:1:1: merge keys (<<) are not part of YAML 1.2; write the keys out, or use an alias "
       "for the whole value"},
      {"a: \xff\n", "a.yaml:1:4: the byte 0xff is not UTF-8; save the file as UTF-8 text"},
      {"a: \x01\n",
       "a.yaml:1:4: the control character 0x01 is not allowed; save the file as UTF-8 text"},
      {"a: 1\rb: 2\n",
       "a.yaml:1:5: a carriage return without a line feed; end lines with a line feed, or with "
       "both"},
      {"a: .nan\n", "a.yaml:1:4: '.nan' is not a finite number"},
      {"a: 99999999999999999999\n",
       "a.yaml:1:4: the integer 99999999999999999999 does not fit 64 bits"},
      {"a: !!int x\n",
       "a.yaml:1:10: the tag 'tag:yaml.org,2002:int' does not fit the string 'x'; leave tags out; "
       "quote what should "
       "be a string"},
  };
  for (const auto& [text, expected] : cases) {
    const Parsed parsed = parse(text);
    EXPECT_EQ(first_line(parsed), expected);
    EXPECT_TRUE(parsed.documents.empty()) << text;
  }
}

TEST(Document, AliasesCopy) {
  const Parsed parsed = parse("a: &x { p: 1 }\nb: *x\nc: &x 2\nd: *x\n");
  ASSERT_EQ(parsed.documents.size(), 1u) << first_line(parsed);
  EXPECT_EQ(to_json_text(to_json(parsed.documents[0])), R"({"a":{"p":1},"b":{"p":1},"c":2,"d":2})");
  // The copy is found where its anchor was written.
  EXPECT_EQ(nearest_position(parsed.documents[0], "b.p").line, 1);
}

TEST(Document, AliasBombIsRefusedBeforeItUnfolds) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    std::string row = "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) row += (k ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += row + "]\n";
  }
  EXPECT_EQ(first_line(parse(bomb)),
            "a.yaml:2:55: the file unfolds more than 64 aliases; write the values out, or use a "
            "Pipeline with parameters");
  DocumentLimits many_aliases;
  many_aliases.aliases_max = 1'000'000;
  const Parsed parsed = parse(bomb, many_aliases);
  EXPECT_TRUE(
      first_line(parsed).find("with its aliases unfolded the file has more than 100000 nodes") !=
      std::string::npos)
      << first_line(parsed);
  EXPECT_TRUE(parsed.documents.empty());
}

TEST(Document, Limits) {
  DocumentLimits limits;
  limits.bytes_max = 10;
  EXPECT_EQ(first_line(parse("a: 123456789\n", limits)),
            "a.yaml:1:1: the file has 13 bytes; at most 10 are read; split it into several files");
  limits = {};
  limits.depth_max = 3;
  EXPECT_TRUE(parse("[[[1]]]", {.depth_max = 4}).findings.empty());
  EXPECT_EQ(first_line(parse("[[[1]]]", limits)),
            "a.yaml:1:4: lists and mappings are nested deeper than 3");
  limits = {};
  limits.nodes_max = 3;
  EXPECT_TRUE(parse("[1, 2]", limits).findings.empty());
  EXPECT_EQ(first_line(parse("[1, 2, 3]", limits)),
            "a.yaml:1:8: the file has more than 3 nodes; split it into several files");
  limits = {};
  limits.documents_max = 2;
  EXPECT_EQ(first_line(parse("--- 1\n--- 2\n--- 3\n", limits)),
            "a.yaml:3:1: the file has more than 2 documents; split it into several files");
  const std::string deep(1'000'000, '[');
  EXPECT_EQ(first_line(parse(deep)), "a.yaml:1:4097: more than 4096 brackets are open");
  EXPECT_EQ(first_line(parse(std::string(4'000, '['))),
            "a.yaml:1:65: lists and mappings are nested deeper than 64");
  EXPECT_FALSE(parse(deep, {}, "a.json").findings.empty());
}

TEST(Document, FindingsShowTheirLine) {
  const SourceFile source{"a.yaml", "spec:\n  é: { risk: hihg }\n"};
  const Finding finding{Severity::Error, "a.yaml", 2, 14, "spec.risk", "wrong", "write it right"};
  EXPECT_EQ(format_findings(std::vector{finding}, std::vector{source}),
            "a.yaml:2:14: error: spec.risk: wrong\n"
            "  2 |   é: { risk: hihg }\n"
            "    |              ^\n"
            "  hint: write it right\n"
            "\n1 error\n");
}

TEST(Document, JsonRoundTrip) {
  const json::value value = *parse_json(R"({"a":[1,2.5,true,null,"x"],"b":{"c":"1"}})");
  EXPECT_EQ(to_json(from_json(value)), value);
}

}  // namespace
}  // namespace showcaller::manifest
