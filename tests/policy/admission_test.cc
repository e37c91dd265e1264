// SPDX-License-Identifier: Apache-2.0
// What rules say of manifests: a table, and the examples that hold rules in place.
#include "policy/admission.h"

#include <gtest/gtest.h>

#include "tests/policy/policy_world.h"

namespace showcaller {
namespace {

json::value parsed(std::string_view text) {
  return parse_json(text).value();
}

AdmissionRule rule(std::string name, std::string_view when, std::string deny,
                   std::string warn = {}) {
  return {std::move(name), {}, parsed(when), std::move(deny), std::move(warn)};
}

std::string said(const PolicySpec& policy, std::string_view manifest, json::value before = {},
                 json::value actor = {}) {
  std::string out;
  for (const AdmissionFinding& finding :
       judge_manifest(policy, parsed(manifest).as_object(), before, actor)) {
    out += finding.outcome == AdmissionOutcome::Deny ? "deny " : "warn ";
    out += finding.rule + ";";
  }
  return out;
}

TEST(Admission, RulesReadTheManifestWhatItReplacesAndWhoAppliesIt) {
  PolicySpec policy;
  policy.rules = {
      rule("risky", R"({"==":[{"var":["manifest.spec.risk","normal"]},"high"]})", "too risky"),
      rule("new", R"({"!":[{"var":"before"}]})", "", "it is new"),
      rule("intern", R"({"in":["intern",{"var":"actor.roles"}]})", "not by interns")};
  const json::value before = parsed(R"({"kind":"Flag"})");
  const json::value intern = parsed(R"({"name":"tim","roles":["intern"]})");
  struct Row {
    std::string_view manifest;
    json::value before, actor;
    std::string says;
  };
  for (const Row& row : {
           Row{R"({"kind":"LiveEvent","spec":{"risk":"high"}})", {}, {}, "deny risky;warn new;"},
           Row{R"({"kind":"LiveEvent","spec":{}})", before, {}, ""},
           Row{R"({"kind":"Flag"})", before, intern, "deny intern;"},
           Row{R"({"kind":"Policy","spec":{"risk":"high"}})", {}, intern, ""},
       }) {
    EXPECT_EQ(said(policy, row.manifest, row.before, row.actor), row.says) << row.manifest;
  }
  policy.rules[0].kinds = {"Fleet"};
  EXPECT_EQ(said(policy, R"({"kind":"LiveEvent","spec":{"risk":"high"}})", before), "");
}

// A rule that cannot be judged must not let anything by.
TEST(Admission, ARuleBeyondItsBudgetDenies) {
  PolicySpec policy;
  policy.rules = {
      rule("endless", R"({"!":[{"cat":[{"var":"manifest.t"},{"var":"manifest.t"}]}]})", "never")};
  const json::object manifest{{"kind", "Flag"}, {"t", std::string(800'000, 'a')}};
  const auto findings = judge_manifest(policy, manifest, nullptr, nullptr);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].outcome, AdmissionOutcome::Deny);
  EXPECT_TRUE(findings[0].says.starts_with("it can't be judged: ")) << findings[0].says;
}

TEST(Admission, AnExampleIsGoodWhenTheRuleThatItNamesSaysWhatItExpects) {
  PolicySpec policy;
  policy.rules = {rule("risky", R"({"==":[{"var":"manifest.spec.risk"},"high"]})", "too risky"),
                  rule("named", R"({"var":"manifest.metadata.name"})", "", "it has a name")};
  const json::object high = parsed(R"({"kind":"LiveEvent","spec":{"risk":"high"}})").as_object();
  const json::object named = parsed(R"({"kind":"Flag","metadata":{"name":"x"}})").as_object();
  using enum AdmissionOutcome;
  policy.examples = {{"a", high, {}, {}, Deny, "risky"},
                     {"b", named, {}, {}, Warn, ""},
                     {"c", named, {}, {}, Deny, "risky"},
                     {"d", high, {}, {}, Allow, ""},
                     {"e", high, {}, {}, Deny, "named"}};
  std::vector<std::string> wrong;
  for (const ExampleStanding& standing : try_examples(policy)) wrong.push_back(standing.wrong);
  EXPECT_EQ(wrong,
            (std::vector<std::string>{
                "", "", "expected deny by rule 'risky', and 'named' says warn: it has a name",
                "expected allow, and 'risky' says deny: too risky",
                "expected deny by rule 'named', and 'risky' says deny: too risky"}));
}

}  // namespace
}  // namespace showcaller
