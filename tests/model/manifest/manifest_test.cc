// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/manifest.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/model/manifest/example_set.h"

namespace showcaller {
namespace {

const Manifest& named(const ParseOutcome& outcome, std::string_view key) {
  const auto found = std::ranges::find(outcome.manifests, key, &Manifest::key);
  EXPECT_NE(found, outcome.manifests.end()) << key;
  return *found;
}

ParseOutcome parse_text(std::string text, const ParseOptions& options = {}) {
  const std::vector<SourceFile> files = {{"a.yaml", std::move(text)}};
  return parse_manifests(files, options);
}

// Without the warnings of what this version only keeps: the examples show the whole language.
std::vector<Finding> served(std::vector<Finding> findings) {
  std::erase_if(findings, [](const Finding& finding) {
    return finding.severity == Severity::Warning && finding.message.contains("this version");
  });
  return findings;
}

TEST(Manifest, ExamplesHaveNoFindings) {
  const auto files = example_files();
  const ExampleSet examples;
  const ParseOutcome& outcome = examples.outcome();
  EXPECT_EQ(format_findings(served(outcome.findings), files), "");
  EXPECT_EQ(outcome.manifests.size(), 19u);
  EXPECT_TRUE(std::ranges::is_sorted(outcome.manifests, {}, &Manifest::kind));
}

TEST(Manifest, WinterRaidIsReadInFull) {
  const ExampleSet examples;
  const ParseOutcome& outcome = examples.outcome();
  const Manifest& manifest = named(outcome, "LiveEvent/winter-raid");
  const auto& spec = manifest.as<LiveEventSpec>();
  EXPECT_EQ(manifest.owner, "team-raids");
  EXPECT_EQ(manifest.labels.at("season"), "s12");
  EXPECT_EQ(spec.schedule.zone, "local");
  EXPECT_EQ(spec.schedule.tzdata, "2026a");
  ASSERT_EQ(spec.schedule.start->by_region.size(), 3u);
  EXPECT_EQ(spec.schedule.start->by_region[0].first, "ap-southeast");
  EXPECT_EQ(format_instant(spec.schedule.start->by_region[0].second), "2026-12-18T10:00:00Z");
  EXPECT_EQ(format_instant(spec.schedule.start->by_region[1].second), "2026-12-18T17:00:00Z");
  EXPECT_EQ(format_instant(spec.schedule.start->by_region[2].second), "2026-12-18T23:00:00Z");
  EXPECT_EQ(format_instant(spec.schedule.start->at), "2026-12-18T10:00:00Z");
  EXPECT_EQ(spec.schedule.claim_until, hours(24 * 7));
  EXPECT_EQ(spec.risk, Risk::High);
  ASSERT_EQ(spec.changes.size(), 5u);
  EXPECT_EQ(spec.changes[0].path(), "build:raid");
  EXPECT_EQ(std::get<BuildChange>(spec.changes[0].what).version, "2.4.0");
  EXPECT_EQ(std::get<BuildChange>(spec.changes[0].what).protocols, (std::vector<int>{47, 48}));
  EXPECT_EQ(std::get<ConfigChange>(spec.changes[2].what).version, 17);
  EXPECT_EQ(std::get<BundleChange>(spec.changes[3].what).preload, hours(72));
  EXPECT_EQ(std::get<ActionChange>(spec.changes[4].what).compensate, "grants/repair");
  EXPECT_EQ(spec.readiness.capacity_headroom_ppm, 300'000);
  EXPECT_EQ(spec.readiness.client_protocol, ">=48");
  EXPECT_EQ(spec.readiness.bundle_ready_at_ppm, 900'000);
  EXPECT_EQ(spec.rollout_begin_before_start, hours(120));
  EXPECT_EQ(spec.unit, Unit::Party);
  ASSERT_EQ(spec.stages.size(), 4u);
  EXPECT_FALSE(spec.stages[0].gated);
  EXPECT_EQ(spec.stages[0].bake_min, minutes(10));
  EXPECT_TRUE(spec.stages[1].gated);
  EXPECT_EQ(spec.stages[1].exposure_ppm, 10'000);
  EXPECT_EQ(spec.stages[1].bake_max, hours(12));
  EXPECT_EQ(spec.stages[3].bake_min, Duration(0));
  EXPECT_EQ(spec.intake.pace_per_minute, 20'000);
  EXPECT_EQ(spec.intake.waves, "by_zone");
  ASSERT_EQ(spec.gates.size(), 4u);
  EXPECT_DOUBLE_EQ(*spec.gates[0].worse_by_at_most_points, 0.001);
  EXPECT_DOUBLE_EQ(*spec.gates[0].must_detect, 2);
  EXPECT_EQ(spec.gates[1].name, "join.latency.p99");
  EXPECT_DOUBLE_EQ(*spec.gates[1].worse_by_at_most_ratio, 0.10);
  EXPECT_DOUBLE_EQ(*spec.gates[1].at_most, 250);
  EXPECT_DOUBLE_EQ(*spec.gates[3].at_least, 0.15);
  EXPECT_EQ(spec.gates[3].on_fail, GateAction::Pace);
  EXPECT_EQ(spec.on_thin, OnThin::Widen);
  EXPECT_TRUE(spec.watch.until_end);
  EXPECT_EQ(spec.watch.holdback_ppm, 20'000);
  EXPECT_EQ(spec.rollback.drain, minutes(45));
  EXPECT_EQ(spec.runbook, "runbooks/winter-raid.md");
}

TEST(Manifest, TenLinesAreEnough) {
  const ExampleSet examples;
  const ParseOutcome& outcome = examples.outcome();
  const Manifest& manifest = named(outcome, "LiveEvent/double-xp");
  const auto& spec = manifest.as<LiveEventSpec>();
  ASSERT_EQ(spec.stages.size(), 3u);
  EXPECT_EQ(spec.stages[0].exposure_ppm, 10'000);
  EXPECT_EQ(spec.stages[0].bake_min, minutes(30));
  ASSERT_EQ(spec.gates.size(), 1u);
  EXPECT_EQ(spec.gates[0].metric, "session.crashed");
  EXPECT_EQ(spec.rollback.within, std::nullopt);
  EXPECT_EQ(spec.watch.duration, hours(24));
  const auto taken = defaults_taken(manifest);
  const auto has = [&](std::string path, std::string value) {
    return std::ranges::find(taken, DefaultTaken{path, value}) != taken.end();
  };
  EXPECT_TRUE(has("spec.risk", "normal"));
  EXPECT_TRUE(has("spec.rollback.sessions.drain", "45m"));
  EXPECT_TRUE(has("spec.watch.for", "24h"));
  EXPECT_TRUE(has("spec.schedule.zone", "UTC"));
  EXPECT_FALSE(manifest.document.at("spec").get_object().contains("risk"));
}

TEST(Manifest, PipelineBringsWhatTheEventDoesNotSay) {
  const ExampleSet examples;
  const ParseOutcome& outcome = examples.outcome();
  const auto& spec = named(outcome, "LiveEvent/frost-hotfix").as<LiveEventSpec>();
  EXPECT_EQ(spec.pipeline, "careful");
  ASSERT_EQ(spec.stages.size(), 3u);
  EXPECT_EQ(spec.stages[0].exposure_ppm, 20'000);
  EXPECT_EQ(spec.stages[0].regions, std::vector<std::string>{"eu-central"});
  ASSERT_EQ(spec.gates.size(), 2u);
  EXPECT_DOUBLE_EQ(*spec.gates[0].worse_by_at_most_points, 0.001);
  EXPECT_EQ(spec.rollback.drain, minutes(40));
}

TEST(Manifest, DocumentsReadToTheSameAgain) {
  const ExampleSet examples;
  for (const Manifest& manifest : examples.outcome().manifests) {
    const auto again = manifest_from_json(manifest.document);
    ASSERT_TRUE(again) << manifest.key() << ": " << again.error().message;
    EXPECT_EQ(again->key(), manifest.key());
    EXPECT_EQ(again->owner, manifest.owner);
    EXPECT_EQ(again->document, manifest.document) << manifest.key();
    EXPECT_EQ(again->hash, manifest.hash) << manifest.key();
  }
}

TEST(Manifest, DocumentsMayBeAppliedAgain) {
  const ExampleSet examples;
  const ParseOutcome& first = examples.outcome();
  std::vector<SourceFile> files;
  for (const Manifest& manifest : first.manifests) {
    files.push_back({manifest.name + ".json", to_pretty_json_text(manifest.document)});
  }
  const ParseOutcome second = parse_manifests(files, {});
  EXPECT_EQ(format_findings(served(second.findings), files), "");
  ASSERT_EQ(second.manifests.size(), first.manifests.size());
  for (std::size_t i = 0; i < first.manifests.size(); ++i)
    EXPECT_EQ(second.manifests[i].hash, first.manifests[i].hash);
}

TEST(Manifest, HashDependsOnMeaningNotOnStyle) {
  const auto a = parse_text(
      "apiVersion: showcaller.dev/v1\nkind: Team\nmetadata: { name: t }\nspec: { members: [a, 'b'] "
      "}\n");
  const auto b = parse_text(
      "spec:\n  members:\n    - \"a\"\n    - b\nkind: Team\nmetadata:\n  name: t\napiVersion: "
      "showcaller.dev/v1\n");
  const auto c = parse_text(
      "apiVersion: showcaller.dev/v1\nkind: Team\nmetadata: { name: t }\nspec: { members: [b, a] "
      "}\n");
  ASSERT_EQ(a.manifests.size(), 1u);
  ASSERT_EQ(b.manifests.size(), 1u);
  EXPECT_EQ(a.manifests[0].hash, b.manifests[0].hash);
  EXPECT_NE(a.manifests[0].hash, c.manifests[0].hash);
}

TEST(Manifest, ArgumentsAndLabelsAreTextWhateverTheyLookLike) {
  const ParseOutcome outcome = parse_text(
      "apiVersion: showcaller.dev/v1\nkind: Fleet\nmetadata: { name: f, owner: o, labels: { "
      "season: 12 } }\n"
      "spec: { builds: [ { version: 2.40, command: [./arena, --port, 0, ''], env: { DEBUG: true, "
      "N: 1.50 } } ] }\n");
  ASSERT_EQ(outcome.manifests.size(), 1u) << format_findings(outcome.findings, {});
  const auto& build = outcome.manifests[0].as<FleetSpec>().builds[0];
  EXPECT_EQ(build.version, "2.40");
  EXPECT_EQ(build.command, (std::vector<std::string>{"./arena", "--port", "0", ""}));
  EXPECT_EQ(build.env.at("DEBUG"), "true");
  EXPECT_EQ(build.env.at("N"), "1.50");
  EXPECT_EQ(outcome.manifests[0].labels.at("season"), "12");
  EXPECT_EQ(outcome.manifests[0].as<FleetSpec>().base, "2.40");
  EXPECT_EQ(outcome.manifests[0].as<FleetSpec>().regions[0].name, "local");
  const auto again = manifest_from_json(outcome.manifests[0].document);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->as<FleetSpec>().builds[0].env.at("N"), "1.50");
}

TEST(Manifest, FindingsHaveABound) {
  std::string text =
      "apiVersion: showcaller.dev/v1\nkind: Team\nmetadata: { name: t }\nspec:\n  contacts:\n";
  for (int i = 0; i < 20'000; ++i) text += "    k" + std::to_string(i) + ": []\n";
  for (int i = 0; i < 20'000; ++i) text += "  unknown" + std::to_string(i) + ": []\n";
  const ParseOutcome outcome = parse_text(text);
  ASSERT_EQ(outcome.findings.size(), 501u);
  EXPECT_EQ(outcome.findings.back().message, "there is more: only 500 findings are told at once");
  EXPECT_TRUE(outcome.manifests.empty());
}

TEST(Manifest, ErrorsBehindManyWarningsStillCount) {
  std::string text;
  for (int i = 0; i < 600; ++i) {
    text += "---\napiVersion: showcaller.dev/v1\nkind: Service\nmetadata: { name: s" +
            std::to_string(i) + ", owner: o }\nspec: { depends_on: [ghost] }\n";
  }
  text +=
      "---\napiVersion: showcaller.dev/v1\nkind: Team\nmetadata: { name: t }\nspec: { members: 1 "
      "}\n";
  ParseOptions options;
  options.missing = MissingReference::Warning;
  const ParseOutcome outcome = parse_text(text, options);
  EXPECT_FALSE(outcome.ok());
  for (const Manifest& manifest : outcome.manifests) EXPECT_NE(manifest.kind(), Kind::Team);
}

TEST(Manifest, EventOfABrokenPipelineIsNoManifest) {
  const ParseOutcome outcome = parse_text(
      "apiVersion: showcaller.dev/v1\nkind: Pipeline\nmetadata: { name: p, owner: o }\nspec: "
      "{}\n---\n"
      "apiVersion: showcaller.dev/v1\nkind: LiveEvent\nmetadata: { name: e, owner: o }\n"
      "spec: { pipeline: { name: p }, changes: [] }\n");
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].path, "spec.template");
  EXPECT_TRUE(outcome.manifests.empty());
}

TEST(Manifest, WrongHeadIsNoManifest) {
  const ParseOutcome outcome =
      parse_text("apiVersion: showcaller.dev/v0\nkind: Team\nmetadata: { name: t }\nspec: {}\n");
  EXPECT_EQ(outcome.findings.size(), 1u);
  EXPECT_TRUE(outcome.manifests.empty());
}

TEST(Manifest, StoredDocumentsThatAreNoneAreCorrupt) {
  for (
      const char* text :
      {R"({})",
       R"({"apiVersion":"showcaller.dev/v1","kind":"LiveEvent","metadata":{"name":"a","owner":"b"},"spec":[]})",
       R"({"apiVersion":"showcaller.dev/v1","kind":"Migration","metadata":{"name":"a"},"spec":{}})"}) {
    const auto manifest = manifest_from_json(parse_json(text)->get_object());
    ASSERT_FALSE(manifest) << text;
    EXPECT_EQ(manifest.error().code, ErrorCode::Corrupt);
  }
}

TEST(Manifest, ServersManifestsAreReferredTo) {
  const ExampleSet server;
  ParseOptions options = server.options();
  const std::string event =
      "apiVersion: showcaller.dev/v1\nkind: LiveEvent\nmetadata: { name: ice, owner: team-raids }\n"
      "spec:\n  pipeline: { name: careful, with: { region: us-east } }\n"
      "  schedule: { zone: local, start: 2026-12-12T18:00 }\n"
      "  changes: [ { flag: { key: double-xp, to: 'on' } } ]\n";
  const ParseOutcome alone = parse_text(event, options);
  EXPECT_EQ(format_findings(alone.findings, {}), "");
  ASSERT_EQ(alone.manifests.size(), 1u);
  EXPECT_EQ(alone.manifests[0].as<LiveEventSpec>().stages[0].regions[0], "us-east");
  EXPECT_EQ(alone.manifests[0].as<LiveEventSpec>().schedule.start->by_region.size(), 3u);

  options.known.active_events = [&] { return server.all(Kind::LiveEvent); };
  const ParseOutcome clash = parse_text(event, options);
  ASSERT_EQ(clash.findings.size(), 1u);
  EXPECT_EQ(clash.findings[0].path, "spec.changes[0]");
  EXPECT_EQ(clash.findings[0].message,
            "the LiveEvent 'double-xp' changes flag:double-xp too, and nothing says which layer "
            "lies on top");
  EXPECT_EQ(clash.findings[0].line, 7);
}

// The manifest that the design was written around: offline and, once an event has given the
// content of its document's version, on a server.
TEST(Manifest, TheDesignsOwnManifestIsRead) {
  const ExampleSet examples;
  const std::vector<SourceFile> files = {
      {"winter-raid.yaml",
       read_file(SHOWCALLER_SOURCE_DIR "/tests/model/manifest/design/winter-raid.yaml")}};
  ParseOptions options = examples.options();
  options.missing = MissingReference::Warning;
  const ParseOutcome offline = parse_manifests(files, options);
  std::vector<std::string> paths;
  for (const Finding& finding : offline.findings) paths.push_back(finding.path);
  EXPECT_TRUE(offline.ok()) << format_findings(offline.findings, files);
  EXPECT_EQ(paths, (std::vector<std::string>{"spec.changes[2].config.version",
                                             "spec.changes[3].bundle.preload",
                                             "spec.changes[4].action.compensate"}));

  options.missing = MissingReference::Error;
  EXPECT_FALSE(parse_manifests(files, options).ok());
  const json::value drops{{"frost_blade", 0.02}};
  options.known.config = [&](std::string_view document, std::int64_t version) {
    return document == "drop-tables" && version == 17 ? &drops : nullptr;
  };
  const ParseOutcome online = parse_manifests(files, options);
  ASSERT_TRUE(online.ok()) << format_findings(online.findings, files);
  const auto& change = online.manifests[0].as<LiveEventSpec>().changes[2];
  EXPECT_EQ(std::get<ConfigChange>(change.what).value, drops);
}

TEST(Manifest, OneVersionOfADocumentHasOneContent) {
  const std::string text = R"(apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: NAME, owner: team-raids }
spec:
  changes: [ { config: { document: drops, version: 1, value: VALUE } } ]
)";
  const auto with = [&](const std::string& name, const std::string& value) {
    std::string out = text;
    out.replace(out.find("NAME"), 4, name);
    out.replace(out.find("VALUE"), 5, value);
    return std::vector<SourceFile>{{"a.yaml", out}};
  };
  const ParseOutcome first = parse_manifests(with("first", "1"), {});
  ASSERT_TRUE(first.ok());
  ParseOptions options;
  options.known.active_events = [&] { return std::vector<const Manifest*>{&first.manifests[0]}; };
  const auto errors = [&](const std::string& name, const std::string& value) {
    return std::ranges::count_if(
        parse_manifests(with(name, value), options).findings,
        [](const Finding& f) { return f.path == "spec.changes[0].config.value"; });
  };
  EXPECT_EQ(errors("second", "2"), 1);
  EXPECT_EQ(errors("second", "1"), 0);
  EXPECT_EQ(errors("first", "2"), 0);  // It replaces itself.
}

TEST(Manifest, FilesTogetherHaveABound) {
  std::vector<SourceFile> files;
  for (int i = 0; i < 9; ++i)
    files.push_back({fmt::format("{}.yaml", i), "# " + std::string(1'000'000, 'x')});
  const ParseOutcome outcome = parse_manifests(files, {});
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].message, "9000018 bytes in all; at most 8388608 are read at once");
}

TEST(Manifest, EachFileMayBeginInItsOwnWay) {
  const std::string team =
      "apiVersion: showcaller.dev/v1\nkind: Team\nmetadata: { name: NAME }\nspec: {}\n";
  const auto named = [&](const std::string& name) {
    std::string out = team;
    return out.replace(out.find("NAME"), 4, name);
  };
  const std::vector<SourceFile> files = {
      {"a.yaml", named("a")},
      {"b.yaml", "\xEF\xBB\xBF" + named("b")},
      {"c.yaml", "%YAML 1.2\n---\n" + named("c")},
      {"d.json",
       R"({"apiVersion":"showcaller.dev/v1","kind":"Team","metadata":{"name":"d"},"spec":{}})"}};
  const ParseOutcome outcome = parse_manifests(files, {});
  EXPECT_TRUE(outcome.ok()) << format_findings(outcome.findings, files);
  EXPECT_EQ(outcome.manifests.size(), 4u);
}

}  // namespace
}  // namespace showcaller
