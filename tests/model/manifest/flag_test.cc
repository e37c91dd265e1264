// SPDX-License-Identifier: Apache-2.0
// Flags of every shape that flagd loads are taken too, and answer as flagd's own testbed says: with
// the default variant or an error for whom it concerns. Only what does not compile is refused.
#include <gtest/gtest.h>

#include "flag/flag_set.h"
#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

struct Reading {
  bool good = false;
  std::vector<std::string> warnings, errors;
  json::object definition;
};

Reading read(const std::string& spec) {
  const SourceFile source{"flag.yaml",
                          "apiVersion: showcaller.dev/v1\nkind: Flag\n"
                          "metadata: { name: f, owner: team }\nspec:\n" +
                              spec};
  ParseOptions options;
  options.tzdata_version = "test";
  ParseOutcome parsed = parse_manifests(std::span(&source, 1), options);
  Reading out{parsed.ok()};
  for (const Finding& finding : parsed.findings)
    (finding.severity == Severity::Error ? out.errors : out.warnings).push_back(finding.message);
  if (out.good) out.definition = parsed.manifests.at(0).as<FlagSpec>().definition;
  return out;
}

// "variant", "" for the caller's own, or the error.
std::string answer(const json::object& definition, std::string_view context = "{}") {
  const FlagSet set = FlagSet::compile(json::object{{"flags", {{"f", definition}}}}).value();
  const json::value who = parse_json(context).value();
  const Evaluation got = set.evaluate("f", EvaluationContext(who.get_object()), instant_ms(0));
  return got.error == FlagError::None ? std::string(got.variant)
                                      : std::string(to_string(got.error));
}

const std::string kThree =
    "  variants: { 'yes': 'yes', 'no': 'no', other: other }\n"
    "  defaultVariant: other\n";

TEST(FlagManifest, WhatFailsAtEvaluationIsAWarningAndEvaluatesAsFlagdDoes) {
  struct Row {
    std::string targeting, context, answer;
  };
  for (const Row& row :
       std::vector<Row>{{"{ if: [ { starts_with: [ abc ] }, 'yes', 'no' ] }", "{}", "no"},
                        {"{ if: [ { sem_ver: [ { var: version }, '===', 1.0.0 ] }, 'yes', null ] }",
                         R"({"version":"1.0.0"})", "other"},
                        {"{ if: [ { sem_ver: [ { var: version }, '=', one ] }, 'yes', null ] }",
                         R"({"version":"1.0.0"})", "other"},
                        {"{ if: [ true, three ] }", "{}", "GENERAL"},
                        {"{ fractional: [ { var: targetingKey }, [ 'yes', -50 ], [ 'no', 100 ] ] }",
                         R"({"targetingKey":"ann"})", "no"}}) {
    const Reading reading = read(kThree + "  targeting: " + row.targeting + "\n");
    ASSERT_TRUE(reading.good) << row.targeting << ": "
                              << (reading.errors.empty() ? "" : reading.errors[0]);
    EXPECT_EQ(reading.warnings.size(), 1u) << row.targeting;
    EXPECT_EQ(answer(reading.definition, row.context), row.answer) << row.targeting;
  }
}

TEST(FlagManifest, ListsMixedVariantsAndCommentsAreTaken) {
  const Reading lists = read(
      "  $comment: why it is there\n"
      "  variants: { few: [ 1 ], many: [ 1, 2 ] }\n"
      "  defaultVariant: few\n");
  ASSERT_TRUE(lists.good) << lists.errors[0];
  EXPECT_EQ(answer(lists.definition), "few");
  const Reading mixed = read("  variants: { a: 1, b: two }\n  defaultVariant: a\n");
  EXPECT_TRUE(mixed.good);
  EXPECT_EQ(mixed.warnings.size(), 1u);
}

TEST(FlagManifest, WhatDoesNotCompileIsRefused) {
  for (const std::string targeting :
       {"{ fi: [ true, 'yes' ] }", "{ if: [ { $ref: nobody }, 'yes' ] }"}) {
    const Reading reading = read(kThree + "  targeting: " + targeting + "\n");
    EXPECT_FALSE(reading.good) << targeting;
    EXPECT_EQ(reading.errors.size(), 1u) << targeting;
  }
  EXPECT_FALSE(read(kThree + "  $evaluators: { a: { $ref: b }, b: { $ref: a } }\n"
                             "  targeting: { if: [ { $ref: a }, 'yes' ] }\n")
                   .good);
}

TEST(FlagManifest, EvaluatorsMayNameOneAnother) {
  const Reading reading =
      read(kThree +
           "  $evaluators:\n"
           "    is_staff: { in: [ { var: group }, [ staff ] ] }\n"
           "    is_ann: { and: [ { $ref: is_staff }, { '==': [ { var: name }, ann ] } ] }\n"
           "  targeting: { if: [ { $ref: is_ann }, 'yes', null ] }\n");
  ASSERT_TRUE(reading.good) << reading.errors[0];
  EXPECT_TRUE(reading.warnings.empty());
}

}  // namespace
}  // namespace showcaller
