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
  ASSERT_FALSE(outcome.manifests.empty());
  EXPECT_EQ(outcome.manifests.back().kind(), GetParam());
  EXPECT_EQ(outcome.manifests.back().name, "thing");
  EXPECT_NE(files[0].text.find("# "), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(EachKind, Init,
                         testing::Values(Kind::Team, Kind::Policy, Kind::Metric, Kind::Service,
                                         Kind::Fleet, Kind::Flag, Kind::Pipeline, Kind::LiveEvent,
                                         Kind::Drill, Kind::ExclusionGroup, Kind::Holdout,
                                         Kind::Config, Kind::Probe),
                         [](const auto& info) { return std::string(to_string(info.param)); });

TEST(Init, AnEventComesWithAllThatItNeeds) {
  const std::vector<SourceFile> files = {
      {"a.yaml", init_manifest(Kind::LiveEvent, "winter-raid", "team-raids")}};
  const ParseOutcome outcome = parse_manifests(files, {});
  EXPECT_TRUE(outcome.findings.empty()) << format_findings(outcome.findings, files);
  ASSERT_EQ(outcome.manifests.size(), 2u);
  EXPECT_EQ(outcome.manifests[0].key(), "Flag/winter-raid");
}

TEST(Offline, MissingThingsAreWarnings) {
  const std::vector<SourceFile> files = {{"a.yaml", R"(apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: thing, owner: team-raids }
spec:
  changes:
    - flag: { key: my-flag, to: "on" }
    - action: { do: grants/open, undo: grants/close }
)"}};
  ParseOptions options;
  options.missing = MissingReference::Warning;
  const ParseOutcome outcome = parse_manifests(files, options);
  ASSERT_EQ(outcome.findings.size(), 2u) << format_findings(outcome.findings, files);
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.findings[0].message, "there is no Flag 'my-flag' in these files");
  EXPECT_EQ(outcome.findings[1].message, "there is no Service 'grants' in these files");
  EXPECT_FALSE(parse_manifests(files, {}).ok());
}

// What a schedule without its fleets leaves open has no consequences: it may have an end.
TEST(Offline, LocalTimesWithoutTheirFleetAreOneWarning) {
  const std::vector<SourceFile> files = {{"a.yaml", R"(apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: thing, owner: team-raids }
spec:
  schedule:
    zone: local
    announce: 7d before start
    start: 2026-12-18T18:00
    end: 2027-01-05T18:00
    claim_until: 7d
  changes:
    - config: { document: drops, version: 1, value: 1 }
    - bundle: { id: assets, preload: 3d }
  rollout: { begin: 5d before start }
  watch: { for: until_end }
)"}};
  ParseOptions options;
  options.missing = MissingReference::Warning;
  std::vector<std::string> told;
  for (const Finding& finding : parse_manifests(files, options).findings)
    told.push_back(format_finding_line(finding));
  ASSERT_EQ(told.size(), 2u) << told[0];
  EXPECT_EQ(told[0],
            "a.yaml:8:12: spec.schedule.start: zone is local, and no fleet says which regions "
            "there are in these files; add the Fleet to the files, or name a zone such as "
            "Europe/Berlin");
  EXPECT_NE(told[1].find("bundle.preload: this version hands nothing"), std::string::npos);
  const ParseOutcome online = parse_manifests(files, {});
  EXPECT_FALSE(online.ok());
  EXPECT_EQ(std::ranges::count(online.findings, Severity::Error, &Finding::severity), 1)
      << format_findings(online.findings, files);
}

TEST(Offline, AnEventOfAPipelineElsewhereIsAWarning) {
  const std::vector<SourceFile> files = {{"a.yaml", R"(apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: thing, owner: team-raids }
spec: { pipeline: { name: careful } }
)"}};
  ParseOptions options;
  options.missing = MissingReference::Warning;
  const ParseOutcome outcome = parse_manifests(files, options);
  ASSERT_EQ(outcome.findings.size(), 1u) << format_findings(outcome.findings, files);
  EXPECT_EQ(outcome.findings[0].message,
            "there is no Pipeline 'careful' in these files, so the event is not checked further");
  EXPECT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome.manifests.empty());
  EXPECT_FALSE(parse_manifests(files, {}).ok());
}

}  // namespace
}  // namespace showcaller
