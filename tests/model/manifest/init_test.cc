// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/init.h"

#include <gtest/gtest.h>

#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

class Init : public testing::TestWithParam<Kind> {};

TEST_P(Init, TextIsAGoodManifest) {
  const std::vector<SourceFile> files = {
      {"a.yaml", init_manifest(GetParam(), "thing", "team-raids")}};
  ParseOptions options;
  options.missing = MissingReference::Warning;
  const ParseOutcome outcome = parse_manifests(files, options);
  EXPECT_TRUE(outcome.ok()) << format_findings(outcome.findings, files);
  ASSERT_EQ(outcome.manifests.size(), 1u);
  EXPECT_EQ(outcome.manifests[0].kind(), GetParam());
  EXPECT_EQ(outcome.manifests[0].name, "thing");
  EXPECT_NE(files[0].text.find("# "), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(EachKind, Init,
                         testing::Values(Kind::Team, Kind::Policy, Kind::Metric, Kind::Service,
                                         Kind::Fleet, Kind::Flag, Kind::Pipeline, Kind::LiveEvent),
                         [](const auto& info) { return std::string(to_string(info.param)); });

TEST(Offline, MissingThingsAreWarnings) {
  const std::vector<SourceFile> files = {
      {"a.yaml", init_manifest(Kind::LiveEvent, "thing", "team-raids")}};
  ParseOptions options;
  options.missing = MissingReference::Warning;
  const ParseOutcome outcome = parse_manifests(files, options);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].severity, Severity::Warning);
  EXPECT_EQ(outcome.findings[0].message, "there is no Flag 'my-flag' in these files");
  EXPECT_FALSE(parse_manifests(files, {}).ok());
}

}  // namespace
}  // namespace showcaller
