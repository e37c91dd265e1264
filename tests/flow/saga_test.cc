// SPDX-License-Identifier: Apache-2.0
// The saga: order, retries, giving up, undoing in reverse; and under any faults, each effect once.
#include "flow/saga.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/random.h"
#include "model/revision_trace.h"

namespace showcaller {
namespace {

const Instant kNoon = parse_instant("2026-12-18T12:00:00Z").value();

Change build() {
  return {BuildChange{"raid", "2.4.0", {}}};
}
Change flag() {
  return {FlagChange{"raid-entrance", "open"}};
}
Change action(const std::string& name, bool irreversible = false) {
  return {ActionChange{name + "/open", irreversible ? "" : name + "/close", "", ""}, irreversible};
}

// A world with one event, changed by folding records alone.
class Stage {
 public:
  explicit Stage(std::vector<Change> changes, Phase phase = Phase::Preparing) {
    Manifest service;
    service.name = "grants";
    service.spec = ServiceSpec{.url = "http://127.0.0.1:9/api/"};
    world_.manifests["Service/grants"] = {std::make_shared<const Manifest>(std::move(service)), 1};
    Manifest manifest;
    manifest.name = "winter-raid";
    LiveEventSpec spec;
    spec.changes = std::move(changes);
    EventState& event = world_.events["winter-raid"];
    event.steps.change().resize(spec.changes.size());
    manifest.spec = std::move(spec);
    event.manifest = std::make_shared<const Manifest>(std::move(manifest));
    event.revision = 7;
    event.phase = phase;
    event.phase_since = now;
    event.trace = std::string(32, 'a');
  }

  const EventState& event() const { return *world_.event("winter-raid"); }
  const World& world() const { return world_; }
  void fold(Payload payload) {
    Record record;
    record.seq = world_.seq + 1;
    record.time = now;
    record.payload = std::move(payload);
    ASSERT_TRUE(evolve(&world_, record));
  }
  void go(Phase to) {
    fold(PhaseChanged{"winter-raid", 7, event().phase, to, PhaseInput::Rollback, ""});
  }
  void hold() { fold(HoldSet{"winter-raid", HoldCause::Operator, ""}); }
  // Makes all moves that are possible now; one line each.
  std::vector<std::string> run() {
    std::vector<std::string> lines;
    for (auto moves = next_saga_move("winter-raid", event(), now, NewSteps::MayBegin);
         !moves.empty(); moves = next_saga_move("winter-raid", event(), now, NewSteps::MayBegin)) {
      for (Payload& payload : moves) {
        lines.push_back(line_of(payload));
        fold(std::move(payload));
      }
    }
    return lines;
  }
  std::vector<ActionCall> calls() const { return wanted_calls(world_, now); }
  void answer(StepOutcome outcome, std::string detail) {
    const auto wanted = calls();
    ASSERT_EQ(wanted.size(), 1u);
    fold(StepFinished{"winter-raid", 7, wanted[0].step, wanted[0].direction, wanted[0].attempt,
                      outcome, std::move(detail)});
  }
  std::vector<StepState> states() const {
    std::vector<StepState> states;
    for (const Step& step : *event().steps) states.push_back(step.state);
    return states;
  }

  Instant now = kNoon;

 private:
  static std::string line_of(const Payload& payload) {
    if (const auto* s = std::get_if<StepStarted>(&payload)) {
      return fmt::format("{} {} #{}", enum_name(s->direction), s->path, s->attempt);
    }
    const auto& f = std::get<StepFinished>(payload);
    return fmt::format("{} {}{}{}", f.step, enum_name(f.outcome), f.detail.empty() ? "" : ": ",
                       f.detail);
  }

  World world_;
};

using Lines = std::vector<std::string>;
using enum StepState;

TEST(Saga, StepsOfTheLayerAreDoneByTheirRecord) {
  Stage stage({build(), flag()});
  EXPECT_EQ(stage.run(),
            (Lines{"do build:raid #1", "0 done", "do flag:raid-entrance #1", "1 done"}));
  EXPECT_EQ(stage.states(), (std::vector{Done, Done}));
  EXPECT_TRUE(stage.calls().empty());
}

TEST(Saga, AnActionWaitsForItsOutcome) {
  Stage stage({build(), action("grants"), flag()});
  EXPECT_EQ(stage.run(), (Lines{"do build:raid #1", "0 done", "do action:grants/open #1"}));
  ASSERT_EQ(stage.calls().size(), 1u);
  const ActionCall call = stage.calls()[0];
  EXPECT_EQ(call.idempotency_key, "winter-raid/r7/s1/do");
  EXPECT_EQ(call.url, "http://127.0.0.1:9/api/open");
  EXPECT_EQ(call.attempt, 1);
  EXPECT_EQ(call.traceparent,
            "00-" + std::string(32, 'a') + "-" +
                step_span_id(std::string(32, 'a'), call.step, call.direction, call.attempt) +
                "-01");
  EXPECT_EQ(call.timeout, seconds(30));
  stage.answer(StepOutcome::Done, "");
  EXPECT_TRUE(stage.calls().empty());
  EXPECT_EQ(stage.run(), (Lines{"do flag:raid-entrance #1", "2 done"}));
}

TEST(Saga, AnUnknownOutcomeIsTriedAgainWithTheSameKeyAfterABackoff) {
  Stage stage({action("grants")});
  stage.run();
  const std::string key = stage.calls()[0].idempotency_key;
  stage.answer(StepOutcome::Unknown, "");
  EXPECT_TRUE(stage.calls().empty()) << "nothing is sent during the back-off";
  EXPECT_TRUE(stage.run().empty());
  stage.now += seconds(1);
  EXPECT_EQ(stage.run(), Lines{"do action:grants/open #2"});
  EXPECT_EQ(stage.calls()[0].idempotency_key, key);
  EXPECT_EQ(stage.calls()[0].attempt, 2);
}

TEST(Saga, TheBackoffDoublesUpToItsBound) {
  EXPECT_EQ(step_backoff(1), seconds(1));
  EXPECT_EQ(step_backoff(2), seconds(2));
  EXPECT_EQ(step_backoff(6), seconds(32));
  EXPECT_EQ(step_backoff(7), kStepBackoffMax);
  EXPECT_EQ(step_backoff(1'000'000), kStepBackoffMax);
}

TEST(Saga, ALostAnswerIsUnknown) {
  Stage stage({action("grants")});
  stage.run();
  stage.now += seconds(35) - Duration(1);
  EXPECT_TRUE(stage.run().empty());
  stage.now += Duration(1);
  EXPECT_EQ(stage.run(), Lines{"0 unknown: no answer to attempt 1 within 35s"});
}

TEST(Saga, GivesUpAfterTheLastAttempt) {
  Stage stage({action("grants"), flag()});
  for (int attempt = 1; attempt <= kStepAttemptsMax; ++attempt) {
    EXPECT_EQ(stage.run(), Lines{fmt::format("do action:grants/open #{}", attempt)});
    stage.answer(StepOutcome::Unknown, "503");
    if (attempt < kStepAttemptsMax) stage.now += step_backoff(attempt);
  }
  EXPECT_EQ(stage.run(), Lines{"0 failed: given up after 10 attempts: 503"});
  EXPECT_EQ(stage.states(), (std::vector{Failed, Pending}));
}

TEST(Saga, ARefusalFailsAtOnce) {
  Stage stage({action("grants"), flag()});
  stage.run();
  stage.answer(StepOutcome::Failed, "409 already open");
  EXPECT_TRUE(stage.run().empty());
  EXPECT_EQ(stage.states(), (std::vector{Failed, Pending}));
}

TEST(Saga, UndoesInReverseWhatWasBegun) {
  Stage stage({build(), action("grants"), flag(), action("grants"), flag()});
  stage.run();
  stage.answer(StepOutcome::Done, "");
  stage.run();
  stage.answer(StepOutcome::Failed, "500");
  stage.go(Phase::RollingBack);
  EXPECT_EQ(stage.run(), Lines{"undo action:grants/open #1"})
      << "a failed step may have had an effect";
  EXPECT_EQ(stage.calls()[0].url, "http://127.0.0.1:9/api/close");
  EXPECT_EQ(stage.calls()[0].idempotency_key, "winter-raid/r7/s3/undo");
  stage.answer(StepOutcome::Done, "");
  EXPECT_EQ(stage.run(),
            (Lines{"undo flag:raid-entrance #1", "2 done", "undo action:grants/open #1"}));
  stage.answer(StepOutcome::Done, "");
  EXPECT_EQ(stage.run(), (Lines{"undo build:raid #1", "0 done"}));
  EXPECT_EQ(stage.states(), (std::vector{Undone, Undone, Undone, Undone, Pending}));
}

TEST(Saga, AnUndoWaitsForTheAnswerOfItsDo) {
  Stage stage({action("grants")});
  stage.run();
  stage.now += seconds(10);
  stage.go(Phase::RollingBack);
  EXPECT_TRUE(stage.run().empty()) << "an undo that overtakes its do would leave the do's effect";
  EXPECT_TRUE(stage.calls().empty()) << "but nothing is done any more";
  stage.now = kNoon + seconds(35);
  EXPECT_EQ(stage.run(), Lines{"undo action:grants/open #1"});

  Stage answered({action("grants")});
  answered.run();
  answered.fold(StepFinished{"winter-raid", 7, 0, StepDirection::Do, 1, StepOutcome::Done, ""});
  answered.go(Phase::RollingBack);
  EXPECT_EQ(answered.run(), Lines{"undo action:grants/open #1"});
}

TEST(Saga, WhatCannotBeUndoneIsPassedOverWithANote) {
  Stage stage({flag(), action("grants", true)});
  stage.run();
  stage.answer(StepOutcome::Done, "");
  stage.go(Phase::RollingBack);
  EXPECT_EQ(stage.run(),
            (Lines{"undo action:grants/open #1", "1 done: left as it is: it cannot be undone",
                   "undo flag:raid-entrance #1", "0 done"}));
}

TEST(Saga, AStuckUndoWaitsUntilTheRollbackIsAskedForAgain) {
  Stage stage({action("grants")}, Phase::RollingBack);
  stage.fold(StepFinished{"winter-raid", 7, 0, StepDirection::Do, 1, StepOutcome::Done, ""});
  stage.run();
  stage.now += seconds(1);
  stage.answer(StepOutcome::Failed, "404");
  EXPECT_EQ(stage.states(), std::vector{Stuck});
  EXPECT_TRUE(stage.run().empty());
  stage.go(Phase::RollbackStuck);
  stage.now += minutes(5);
  EXPECT_TRUE(stage.run().empty());
  stage.go(Phase::RollingBack);
  EXPECT_EQ(stage.run(), Lines{"undo action:grants/open #1"});
}

TEST(Saga, AHoldBeginsNothingAndCutsNothing) {
  Stage stage({action("grants"), flag()});
  stage.run();
  stage.hold();
  stage.answer(StepOutcome::Unknown, "503");
  stage.now += seconds(1);
  EXPECT_EQ(stage.run(), Lines{"do action:grants/open #2"});
  stage.answer(StepOutcome::Done, "");
  EXPECT_TRUE(stage.run().empty());
  stage.go(Phase::RollingBack);
  EXPECT_FALSE(stage.run().empty()) << "a rollback is alive under a hold";
}

TEST(Saga, OtherPhasesHaveNoMoves) {
  for (int phase = 0; phase < kPhases; ++phase) {
    if (Phase(phase) == Phase::Preparing || Phase(phase) == Phase::RollingBack) continue;
    EXPECT_TRUE(Stage({flag()}, Phase(phase)).run().empty()) << phase;
  }
}

TEST(Saga, AnActionWithoutAServiceSaysSo) {
  Stage stage({action("shop")});
  stage.run();
  ASSERT_EQ(stage.calls().size(), 1u);
  EXPECT_EQ(stage.calls()[0].url, "");
  EXPECT_EQ(stage.calls()[0].problem,
            "no Service 'shop' has a url, so 'shop/open' leads nowhere; apply one with "
            "`spec.url`, or write the whole URL");
  EXPECT_EQ(action_url(stage.world(), "http://h/x").value(), "http://h/x");
  EXPECT_EQ(action_url(stage.world(), "grants").value(), "http://127.0.0.1:9/api");
}

// A service that honours keys, behind a network that loses requests and answers.
class FlakyService {
 public:
  explicit FlakyService(Random random) : random_(random) {}

  // What the caller learns.
  StepOutcome post(const ActionCall& call) {
    const std::uint64_t luck = random_.below(4);
    if (luck == 0) return StepOutcome::Unknown;  // the request is lost
    if (seen_.insert(call.idempotency_key).second) ++effects_[call.idempotency_key];
    return luck == 1 ? StepOutcome::Unknown : StepOutcome::Done;  // 1: the answer is lost
  }
  int effects(int step, StepDirection direction) const {
    const auto found = effects_.find(step_idempotency_key("winter-raid", 7, step, direction));
    return found == effects_.end() ? 0 : found->second;
  }

 private:
  Random random_;
  std::set<std::string> seen_;
  std::map<std::string, int> effects_;
};

// Does a change-set over a flaky service, turns back somewhere, and returns the steps in the order
// of their undoing.
std::vector<int> do_and_undo(Stage* stage, FlakyService* service, Random random) {
  const auto turn_at = int(random.below(12));
  std::vector<int> undone;
  for (int round = 0; round < 400; ++round) {
    const auto before = stage->states();
    if (round == turn_at) stage->go(Phase::RollingBack);
    stage->run();
    for (const ActionCall& call : stage->calls()) {
      if (random.below(8) == 0) continue;  // the server crashed before it heard
      stage->answer(service->post(call), "");
    }
    for (int i = int(before.size()) - 1; i >= 0; --i) {
      const auto at = std::size_t(i);
      if (before[at] != Undone && stage->states()[at] == Undone) undone.push_back(i);
    }
    stage->now += Duration(std::int64_t(random.below(40'000)) + 1);
  }
  return undone;
}

TEST(Saga, UnderAnyFaultsEachEffectIsThereOnceAndUndoneInReverse) {
  int stuck = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    std::vector<Change> changes;
    for (auto i = random.below(5) + 1; i > 0; --i)
      changes.push_back(random.below(2) ? flag() : action("grants"));
    Stage stage(changes);
    FlakyService service(random.fork(1));
    const std::vector<int> undone = do_and_undo(&stage, &service, random.fork(2));
    EXPECT_TRUE(std::is_sorted(undone.rbegin(), undone.rend())) << "seed " << seed;
    bool was_stuck = false;
    for (int i = int(changes.size()) - 1; i >= 0; --i) {
      const StepState state = stage.states()[std::size_t(i)];
      const int done = service.effects(i, StepDirection::Do);
      const int reversed = service.effects(i, StepDirection::Undo);
      EXPECT_LE(done, 1) << "seed " << seed;
      EXPECT_LE(reversed, 1) << "seed " << seed;
      if (state == Undone) {
        EXPECT_LE(done, reversed) << "seed " << seed;
      }
      if (!was_stuck) {
        EXPECT_TRUE(state == Undone || state == Pending || state == Stuck) << "seed " << seed;
      }
      was_stuck = was_stuck || state == Stuck;
    }
    stuck += was_stuck ? 1 : 0;
  }
  EXPECT_LT(stuck, 20) << "ten attempts outlast most bad luck";
}

}  // namespace
}  // namespace showcaller
