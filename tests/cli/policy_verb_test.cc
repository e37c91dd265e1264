// SPDX-License-Identifier: Apache-2.0
// `showcaller policy test`: what it prints and ends with.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/local_verbs.h"

namespace showcaller::test {
namespace {

class PolicyTestVerb : public testing::Test {
 protected:
  ~PolicyTestVerb() override { std::filesystem::remove(path_); }
  int test(const std::string& examples) {
    std::ofstream(path_) << R"(apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house, owner: ops }
spec:
  rules: [ { name: risky, when: { "==": [ { var: manifest.spec.risk }, high ] }, deny: too risky } ]
)" << examples;
    testing::internal::CaptureStdout();
    const int code = policy_test_verb({path_}, OutputForm::Table);
    said_ = testing::internal::GetCapturedStdout();
    return code;
  }

  const std::string path_ = testing::TempDir() + "policy-" + std::to_string(::getpid()) + ".yaml";
  std::string said_;
};

TEST_F(PolicyTestVerb, SaysWhichExampleWentWrongAndWhereItStands) {
  EXPECT_EQ(test(R"(  examples:
    - { name: high, manifest: { kind: LiveEvent, spec: { risk: high } }, expect: deny }
    - { name: low, manifest: { kind: LiveEvent, spec: { risk: low } }, expect: deny }
)"),
            kExitRefused);
  EXPECT_EQ(said_, "good   house: high\nwrong  " + path_ +
                       ":8:7: low: error: expected deny, and no rule says anything\n"
                       "1 of 2 examples are good\n");
}

TEST_F(PolicyTestVerb, EndsWellWhenAllAreGoodAndNotWithoutAny) {
  EXPECT_EQ(test("  examples: [ { name: a, manifest: { kind: Flag }, expect: allow } ]\n"),
            kExitOk);
  EXPECT_NE(test(""), kExitOk);
  EXPECT_EQ(test("  examples: [ { name: a, manifest: { kind: Flag }, expect: maybe } ]\n"),
            kExitUsage);
}

TEST_F(PolicyTestVerb, TheExampleManifestsOwnExamplesAreGood) {
  testing::internal::CaptureStdout();
  const int code = policy_test_verb({SHOWCALLER_SOURCE_DIR "/examples/manifests/policy.yaml"},
                                    OutputForm::Table);
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, kExitOk) << said;
}

}  // namespace
}  // namespace showcaller::test
