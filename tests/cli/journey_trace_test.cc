// SPDX-License-Identifier: Apache-2.0
// Spans of probes' journeys: what belongs to what, and what each step is handed on.
#include <atomic>

#include <gtest/gtest.h>

#include "base/trace_context.h"
#include "cli/probe/probe_journeys.h"

namespace showcaller {
namespace {

class SpanShelf final : public SpanSink {
 public:
  void take(std::vector<Span> spans) override {
    for (Span& span : spans) shelf.push_back(std::move(span));
  }
  std::vector<Span> shelf;
};

// Answers each step with 200, but for the one at a path that fails so many times.
class GameDoor final : public ProbeStepPort {
 public:
  ProbeAnswer exchange(const ProbeStep& step, const ProbeContext& context, Duration) override {
    handed_on.push_back(context.traceparent);
    const auto* http = std::get_if<HttpProbeStep>(&step.what);
    if (http && http->url == "http://game/play" && failures > 0) {
      --failures;
      return {.error = "", .status = 503, .body = "full"};
    }
    return {.error = "", .status = http ? 200 : 0, .body = "{}"};
  }
  std::vector<std::string> handed_on;
  int failures = 0;
};

class JourneySpans : public testing::Test {
 protected:
  static ProbeCall call(std::string traceparent) {
    ProbeCall out{"raid-join", "eu", "http://game", std::move(traceparent), {}};
    out.spec.steps.resize(3);
    out.spec.steps[0].name = "enter";
    out.spec.steps[0].what = HttpProbeStep{.url = "/enter"};
    out.spec.steps[1].name = "play";
    out.spec.steps[1].what = HttpProbeStep{.url = "/play"};
    out.spec.steps[2].name = "bots";
    out.spec.steps[2].what = ScriptProbeStep{.command = {"bots"}};
    return out;
  }
  ProbeResult make(const ProbeCall& made, SpanSink* spans) {
    return ProbeJourneys({&door, &door, &door, &door, &door},
                         {.spans = spans, .wall = [] { return instant_ms(1'000); }})
        .make(made);
  }
  static std::string handed_on_by(const Span& span) {
    return format_traceparent(span.trace, span.id, true);
  }

  GameDoor door;
  SpanShelf spans;
};

constexpr const char* kStageTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST_F(JourneySpans, EachStepIsBelowItsJourneyAndIsHandedOn) {
  EXPECT_TRUE(make(call(kStageTrace), &spans).good());
  ASSERT_EQ(spans.shelf.size(), 4u);
  const Span& journey = spans.shelf.back();
  EXPECT_EQ(journey.name, "probe raid-join");
  EXPECT_EQ(journey.trace, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(journey.parent, "b7ad6b7169203331");
  EXPECT_EQ(journey.status, SpanStatus::Ok);
  EXPECT_EQ(journey.start, instant_ms(1'000));
  const char* names[] = {"step enter", "step play", "step bots"};
  for (std::size_t i = 0; i < 3; ++i) {
    const Span& step = spans.shelf[i];
    EXPECT_EQ(step.name, names[i]);
    EXPECT_EQ(step.trace, journey.trace);
    EXPECT_EQ(step.parent, journey.id);
    EXPECT_EQ(door.handed_on[i], handed_on_by(step));
    EXPECT_LE(step.start, step.end);
    EXPECT_LE(step.end, journey.end);
  }
  EXPECT_EQ(spans.shelf[0].kind, SpanKind::Client);
  EXPECT_EQ(spans.shelf[2].kind, SpanKind::Internal);
}

TEST_F(JourneySpans, AJourneyForNoEventHasATraceOfItsOwn) {
  make(call(""), &spans);
  const std::string first = spans.shelf.back().trace;
  EXPECT_EQ(first.size(), 32u);
  EXPECT_EQ(spans.shelf.back().parent, "");
  EXPECT_TRUE(parse_traceparent(door.handed_on[0]));
  make(call(""), &spans);
  EXPECT_NE(spans.shelf.back().trace, first);
}

TEST_F(JourneySpans, EachTryIsAJourney) {
  door.failures = 1;
  EXPECT_TRUE(make(call(kStageTrace), &spans).good());
  ASSERT_EQ(spans.shelf.size(), 3u + 4u) << "the first ended at its second step";
  const Span &play = spans.shelf[1], &failed = spans.shelf[2], &good = spans.shelf[6];
  EXPECT_EQ(play.status, SpanStatus::Error);
  EXPECT_EQ(play.status_text, "503 instead of 200-299: full");
  EXPECT_EQ(failed.status_text, "play: 503 instead of 200-299: full");
  EXPECT_EQ(failed.parent, good.parent);
  EXPECT_NE(failed.id, good.id);
  EXPECT_EQ(failed.attributes.back(),
            (std::pair<std::string, SpanValue>("showcaller.probe.journey", std::int64_t(1))));
}

TEST_F(JourneySpans, WhereNobodyCollectsThemTheCallersTraceIsHandedOn) {
  make(call(kStageTrace), nullptr);
  EXPECT_EQ(door.handed_on, std::vector<std::string>(3, kStageTrace));
}

// At the end of a server the host hears of what is under way, and goes then.
TEST_F(JourneySpans, WhenItStopsEveryOutcomeIsTold) {
  ProbeJourneys journeys({&door, &door, &door, &door, &door}, {.threads = 1});
  std::atomic<int> told = 0;
  for (int i = 0; i < 100; ++i) journeys.run(call(""), [&told](const ProbeResult&) { ++told; });
  journeys.stop();
  EXPECT_EQ(told, 100);
  journeys.run(call(""), [&told](const ProbeResult& result) {
    EXPECT_EQ(result.journeys, 0);
    ++told;
  });
  EXPECT_EQ(told, 101);
}

}  // namespace
}  // namespace showcaller
