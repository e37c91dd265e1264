// SPDX-License-Identifier: Apache-2.0
// The spans of an event's life, told from its records: which there are, when they end, and that a
// fold that begins anywhere tells the same.
#include "engine/trace_fold.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "engine/explain.h"
#include "engine/known.h"
#include "model/revision_trace.h"

namespace showcaller {
namespace {

constexpr std::string_view kManifests = R"(
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-raids }
spec:
  variants: { open: true, shut: false }
  defaultVariant: shut
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: grants, owner: team-raids }
spec: { url: "http://127.0.0.1:1", probes: [enter] }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: raid, owner: team-raids }
spec:
  changes:
    - flag: { key: door, to: open }
    - action: { do: grants/open, undo: grants/close }
  readiness: { probes: [enter] }
  rollout:
    stages:
      - { name: canary, exposure: 10%, bake: 10m }
      - { name: world, exposure: 50%, bake: 10m }
  gates:
    - { metric: session.crashed, worse_by_at_most: 10%, on_fail: rollback }
)";

const std::string kCallersTrace(32, 'c');
const std::string kRequest = "00-" + kCallersTrace + "-00f067aa0ba902b7-01";

// An event's life, and all that was told of it.
class TraceFoldTest : public testing::Test {
 protected:
  void command(CommandBody body) {
    Command command{std::move(body), {"ann", {"admin"}}, {}, kCallersTrace, "because"};
    command.traceparent = kRequest;
    command.tracestate = "congo=1";
    give(std::move(command));
  }
  void give(const Input& input) {
    const auto receipt = engine_.take(input, now_, &records_);
    ASSERT_TRUE(receipt) << receipt.error().message;
  }
  void apply(std::string_view text) {
    const std::vector<SourceFile> files = {{"a.yaml", std::string(text)}};
    ParseOptions options;
    options.known = known_manifests(std::make_shared<const World>(engine_.world()));
    ParseOutcome outcome = parse_manifests(files, options);
    ASSERT_TRUE(outcome.ok()) << format_findings(outcome.findings, files);
    ApplyCommand apply;
    for (Manifest& manifest : outcome.manifests)
      apply.manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
    command(std::move(apply));
  }
  void advance(Duration by) {
    now_ += by;
    give(TimePassed{});
  }
  const EventState& raid() const { return *engine_.world().event("raid"); }
  void report_step(StepDirection direction, StepOutcome outcome, std::string detail) {
    give(StepReported{"raid", raid().revision, 1, direction, (*raid().steps)[1].attempt, outcome,
                      std::move(detail)});
  }
  void look(Verdict verdict, std::string why, std::int64_t evidence_s) {
    give(GateLooked{"raid",
                    raid().revision,
                    raid().visit,
                    evidence_s,
                    0,
                    "",
                    {{"", verdict, false, {}, why},
                     {"session.crashed", verdict, false, {{"ratio", 2.5}}, why}}});
  }

  // To the first stage, which is baking.
  void roll_out() {
    apply(kManifests);
    advance(seconds(1));
    report_step(StepDirection::Do, StepOutcome::Unknown, "503");
    advance(seconds(2));
    report_step(StepDirection::Do, StepOutcome::Done, "200");
    command(ReadyCommand{"raid", "probe:enter", false, "no answer"});
    advance(seconds(5));
    command(ReadyCommand{"raid", "probe:enter", true, ""});
    advance(seconds(1));
    ASSERT_EQ(raid().phase, Phase::RollingOut) << enum_name(raid().phase);
  }
  void whole_life() {
    roll_out();
    advance(minutes(1));
    look(Verdict::Thin, "few sessions", 60);
    command(EventCommand{"raid", EventVerb::Hold});
    advance(minutes(1));
    command(EventCommand{"raid", EventVerb::Resume});
    advance(minutes(9));
    look(Verdict::Pass, "no difference", 600);
    advance(seconds(1));
    advance(minutes(1));
    look(Verdict::Fail, "crashes", 60);
    advance(seconds(1));
    report_step(StepDirection::Undo, StepOutcome::Done, "200");
    advance(hours(2));
    ASSERT_EQ(raid().phase, Phase::RolledBack) << enum_name(raid().phase);
  }

  static std::vector<Span> spans_from(World world, std::span<const Record> records) {
    TraceFold fold(std::move(world));
    std::vector<Span> out;
    for (const Record& record : records) fold.take(record, &out);
    return out;
  }
  std::vector<Span> spans() const { return spans_from(World{}, records_); }

  // "+3s..+9s readiness probe:enter < LiveEvent raid  error: why"
  std::string story() const {
    const std::vector<Span> all = spans();
    std::map<std::string, std::string> names;
    for (const Span& span : all) names[span.id] = span.name;
    std::string out;
    for (const Span& span : all) {
      out += fmt::format("{:>6} {:>6} {}", format_duration(span.start - kBegan),
                         format_duration(span.end - span.start), span.name);
      if (!span.parent.empty() && names.contains(span.parent))
        out += " < " + names[span.parent];
      else if (!span.parent.empty())
        out += " < (open)";
      if (span.status == SpanStatus::Error) out += "  error: " + span.status_text;
      if (!span.links.empty()) out += fmt::format("  links {}", span.links.size());
      out += '\n';
    }
    return out;
  }

  static inline const Instant kBegan = parse_instant("2026-12-01T12:00:00Z").value();
  Instant now_ = kBegan;
  Engine engine_{World{}, 1};
  std::vector<Record> records_;
};

TEST_F(TraceFoldTest, TellsAnEventsLife) {
  whole_life();
  EXPECT_EQ("\n" + story(), R"(
    0s     0s LiveEvent raid  links 1
    0s     0s validation < LiveEvent raid
    0s     0s approval < LiveEvent raid
    0s     0s approved < LiveEvent raid
    0s     0s do flag:door < LiveEvent raid
    0s     1s do action:grants/open < LiveEvent raid  error: 503
    3s     0s do action:grants/open < LiveEvent raid
    0s     3s readiness probe:enter < LiveEvent raid  links 1
    3s     5s readiness probe:enter < LiveEvent raid  links 1
    0s     8s preparation < LiveEvent raid
    8s     0s ready < LiveEvent raid
    8s   1m1s gate stage < stage canary
    8s   1m1s gate session.crashed < stage canary
  1m9s     0s command hold_set < stage canary  links 1
  1m9s     1m hold < LiveEvent raid
  2m9s     0s command hold_lifted < stage canary  links 1
  1m9s    10m gate stage < stage canary
  1m9s    10m gate session.crashed < stage canary
    8s  11m1s stage canary < LiveEvent raid
 11m9s   1m1s gate stage < stage world  error: crashes
 11m9s   1m1s gate session.crashed < stage world  error: crashes
 11m9s   1m1s stage world < LiveEvent raid  error: gate session.crashed failed: crashes
12m10s     1s undo action:grants/open < LiveEvent raid
12m11s     0s undo flag:door < LiveEvent raid
12m10s     1s rollback < LiveEvent raid
)");
}

// A look that changes nothing is no record, and so no span.
TEST_F(TraceFoldTest, AVerdictsSpanCountsTheLooksThatItLasted) {
  whole_life();
  std::vector<std::int64_t> looks;
  for (const Span& span : spans()) {
    for (const auto& [key, value] : span.attributes)
      if (key == "showcaller.gate.looks" && span.name == "gate session.crashed")
        looks.push_back(std::get<std::int64_t>(value));
  }
  EXPECT_EQ(looks, (std::vector<std::int64_t>{6, 54, 6})) << "of 60, 540 and 60 s, each 10 s";
}

TEST_F(TraceFoldTest, ARevisionHasATraceToItselfThatItsRequestIsLinkedTo) {
  apply(kManifests);
  const std::vector<Span> all = spans();
  const auto root = std::ranges::find(all, "LiveEvent raid", &Span::name);
  ASSERT_NE(root, all.end());
  EXPECT_EQ(root->trace, *raid().trace);
  EXPECT_EQ(root->trace, revision_trace_id("raid", 1, raid().manifest->hash, kCallersTrace));
  EXPECT_NE(root->trace, kCallersTrace);
  EXPECT_EQ(root->parent, "");
  ASSERT_EQ(root->links.size(), 1u);
  EXPECT_EQ(root->links[0].trace, kCallersTrace);
  EXPECT_EQ(root->links[0].span, "00f067aa0ba902b7");
  EXPECT_EQ(root->links[0].state, "congo=1");
}

TEST_F(TraceFoldTest, ANewRevisionIsLinkedToTheOneBeforeAndTakesItsStageOver) {
  roll_out();
  const std::string first = *raid().trace;
  std::string changed(kManifests);
  changed.replace(changed.rfind("bake: 10m"), 9, "bake: 20m");
  advance(seconds(1));
  apply(changed);
  advance(minutes(1));
  command(EventCommand{"raid", EventVerb::Rollback});
  const std::vector<Span> all = spans();
  const auto root = std::ranges::find_if(
      all, [&](const Span& s) { return s.trace == *raid().trace && s.parent.empty(); });
  ASSERT_NE(root, all.end());
  EXPECT_NE(*raid().trace, first);
  ASSERT_EQ(root->links.size(), 2u);
  EXPECT_EQ(root->links[1].trace, first);
  std::map<std::string, std::pair<Instant, Instant>> told;  // by trace
  for (const Span& span : all)
    if (span.name == "stage canary") told[span.trace] = {span.start, span.end};
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[first].second, now_ - minutes(1)) << "ended with its revision";
  EXPECT_EQ(told[*raid().trace].first, told[first].first) << "told as a whole by the next";
  EXPECT_EQ(told[*raid().trace].second, now_);
}

TEST_F(TraceFoldTest, AnActionIsCalledWithTheSpanThatIsToldLater) {
  roll_out();
  const std::vector<Span> all = spans();
  const std::string second = step_span_id(*raid().trace, 1, StepDirection::Do, 2);
  const auto span = std::ranges::find(all, second, &Span::id);
  ASSERT_NE(span, all.end());
  EXPECT_EQ(span->kind, SpanKind::Client);
  EXPECT_EQ(span->name, "do action:grants/open");
}

// Of a fleet only those that a revision brings belong to a trace.
TEST_F(TraceFoldTest, InstancesOfARevisionsBuildAreTold) {
  apply(R"(
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: team-raids }
spec:
  base: 1
  builds: [ { version: 1, command: [raid] }, { version: 2, command: [raid] } ]
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: new-build, owner: team-raids }
spec: { changes: [ { build: { fleet: raid, version: 2 } } ] }
)");
  TraceFold fold(engine_.world());
  std::vector<Span> told;
  std::uint64_t seq = engine_.world().seq;
  const auto record = [&](Payload payload) {
    now_ += seconds(2);
    return fold.take({.seq = ++seq, .time = now_, .payload = std::move(payload)}, &told);
  };
  const std::string& trace = *engine_.world().event("new-build")->trace;
  const TracePlace place = record(InstanceRequested{"raid", "raid-1", "2", "eu", "h"});
  EXPECT_EQ(place, (TracePlace{trace, instance_span_id(trace, "raid-1")}));
  EXPECT_EQ(record(InstanceRequested{"raid", "raid-2", "1", "eu", "h"}), TracePlace{});
  record(InstanceRequested{"raid", "raid-3", "2", "eu", "h"});
  record(InstanceMoved{"raid", "raid-1", InstancePhase::Ready, "", {}, {}});
  record(InstanceMoved{"raid", "raid-2", InstancePhase::Ready, "", {}, {}});
  record(InstanceMoved{"raid", "raid-3", InstancePhase::Gone, "it crashed", {}, 11});
  record(InstanceMoved{"raid", "raid-1", InstancePhase::Draining, "", {}, {}});
  record(InstanceMoved{"raid", "raid-1", InstancePhase::Gone, "", 0, {}});
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].name, "instance start");
  EXPECT_EQ(told[0].id, place.span);
  EXPECT_EQ(told[0].end - told[0].start, seconds(6));
  EXPECT_EQ(told[1].status, SpanStatus::Error);
  EXPECT_EQ(told[1].status_text, "it crashed");
  EXPECT_EQ(told[2].name, "instance end");
  EXPECT_EQ(told[2].end - told[2].start, seconds(2));
}

TEST_F(TraceFoldTest, WithoutACallersTraceNothingIsTold) {
  Command command{ApplyCommand{}, {"ann", {"admin"}}, {}, {}, "because"};
  const std::vector<SourceFile> files = {{"a.yaml", std::string(kManifests)}};
  ParseOutcome outcome = parse_manifests(files, {});
  for (Manifest& manifest : outcome.manifests)
    std::get<ApplyCommand>(command.body)
        .manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  give(command);
  EXPECT_TRUE(raid().trace->empty());
  EXPECT_TRUE(spans().empty());
}

// What a server that was started again tells is what the other would have told.
TEST_F(TraceFoldTest, AFoldThatBeginsAnywhereTellsTheSame) {
  whole_life();
  World world;
  std::vector<Span> before;
  const std::vector<Span> whole = spans();
  TraceFold fold{World{}};
  for (std::size_t k = 0; k < records_.size(); ++k) {
    const auto rest = spans_from(world, std::span(records_).subspan(k));
    const std::vector<Span> expected(whole.begin() + std::ptrdiff_t(before.size()), whole.end());
    ASSERT_EQ(rest, expected) << "from record " << k;
    fold.take(records_[k], &before);
    ASSERT_TRUE(evolve(&world, records_[k]));
  }
}

// A server that was away moves the beginnings of phases in its world; spans keep their ids.
TEST_F(TraceFoldTest, ARestartTellsNothingTwiceAndTearsNothing) {
  roll_out();
  now_ += hours(1);
  give(ServerBooted{"2", hours(1), {}});
  advance(minutes(1));
  look(Verdict::Thin, "few sessions", 60);
  command(EventCommand{"raid", EventVerb::Rollback});
  const std::vector<Span> all = spans();
  const auto stage = std::ranges::find(all, "stage canary", &Span::name);
  ASSERT_NE(stage, all.end());
  EXPECT_EQ(stage->end - stage->start, seconds(61)) << "without the hour that it was away";
  EXPECT_EQ(std::ranges::count(all, "preparation", &Span::name), 1);
  const auto gate = std::ranges::find(all, "gate stage", &Span::name);
  ASSERT_NE(gate, all.end());
  EXPECT_EQ(gate->parent, stage->id);
}

TEST_F(TraceFoldTest, EverySpanHasAnIdOfItsOwnAndAParentThatIsTold) {
  whole_life();
  std::set<std::string> ids;
  const std::vector<Span> all = spans();
  for (const Span& span : all) EXPECT_TRUE(ids.insert(span.id).second) << span.name;
  for (const Span& span : all) {
    EXPECT_LE(span.start, span.end) << span.name;
    EXPECT_TRUE(span.parent.empty() || ids.contains(span.parent)) << span.name;
  }
}

TEST_F(TraceFoldTest, EveryRecordOfAnEventKnowsItsPlace) {
  whole_life();
  TraceFold fold{World{}};
  std::vector<Span> told;
  std::set<std::string> places;
  for (const Record& record : records_) {
    const TracePlace place = fold.take(record, &told);
    if (std::holds_alternative<ManifestApplied>(record.payload)) {
      EXPECT_EQ(place.trace, kCallersTrace);
      EXPECT_EQ(place.span, "00f067aa0ba902b7");
      continue;
    }
    if (event_of(record.payload).empty()) continue;
    EXPECT_EQ(place.trace, *raid().trace) << encode_record(record);
    EXPECT_FALSE(place.span.empty()) << encode_record(record);
    places.insert(place.span);
  }
  for (const std::string& place : places)
    EXPECT_TRUE(std::ranges::find(told, place, &Span::id) != told.end()) << place;
}

}  // namespace
}  // namespace showcaller
