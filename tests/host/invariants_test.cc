// SPDX-License-Identifier: Apache-2.0
// A rival engine that leaves something undone is found out: the journal of a rollback as it should
// be, and the same without what such an engine would have left out.
#include "engine/invariants.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

std::string manifest_text(const std::string& file) {
  std::ifstream in(std::filesystem::path(SHOWCALLER_SOURCE_DIR) /
                   "tests/host/conversations/manifests" / file);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// A defect that a gate sees and the engine rolls back.
std::vector<Record> records_of_a_rollback() {
  Theatre theatre;
  EXPECT_TRUE(theatre.apply("fleet.yaml", manifest_text("fleet.yaml")));
  theatre.traffic = {20, seconds(20), {{"1.0.0", 0.02}, {"1.1.0", 0.3}}, 2, {}, {}};
  theatre.advance(seconds(30));
  EXPECT_TRUE(theatre.apply("gala.yaml", manifest_text("gala.yaml")));
  theatre.advance(minutes(5));
  EXPECT_EQ(theatre.world()->event("gala")->phase, Phase::RolledBack);
  return theatre.take_records();
}

const std::vector<Record>& as_it_should_be() {
  static const std::vector<Record> records = records_of_a_rollback();
  return records;
}

// What is found wrong with the records that `writes` keeps, numbered anew.
template <class Writes>
std::vector<std::string> found_in(const Writes& writes) {
  Invariants invariants;
  std::uint64_t seq = 0;
  for (Record record : as_it_should_be()) {
    if (!writes(record)) continue;
    record.seq = ++seq;
    invariants.take(record);
  }
  invariants.rest();
  return invariants.broken();
}

bool tells(const std::vector<std::string>& broken, std::string_view what) {
  return std::ranges::any_of(broken, [&](const std::string& sentence) {
    return sentence.find(what) != std::string::npos;
  });
}

template <class P>
const P* as(const Record& record) {
  return std::get_if<P>(&record.payload);
}

bool is_a_failed_gate(const Record& record) {
  const auto* verdict = as<VerdictChanged>(record);
  return verdict && verdict->verdict == VerdictName::Fail && !verdict->gate.empty();
}

TEST(Invariants, HoldInTheJournalOfARollback) {
  EXPECT_EQ(found_in([](const Record&) { return true; }), std::vector<std::string>());
}

TEST(Invariants, FindAnEngineThatIgnoresAFailedGate) {
  bool failed = false;
  const auto broken = found_in([&](const Record& record) {
    if (failed && record.actor == kEngineActor) return false;
    failed = failed || is_a_failed_gate(record);
    return true;
  });
  EXPECT_TRUE(failed);
  EXPECT_TRUE(tells(broken, "nothing followed from the failure"));
}

TEST(Invariants, FindAnEngineThatWidensWhatHasNotPassed) {
  Invariants invariants;
  std::uint64_t seq = 0;
  for (Record record : as_it_should_be()) {
    record.seq = ++seq;
    invariants.take(record);
    const auto* verdict = as<VerdictChanged>(record);
    if (!verdict || !verdict->gate.empty()) continue;
    const EventState& event = *invariants.world().event(verdict->event);
    const auto next = std::size_t(event.stage) + 1;
    const StageSpec& stage = event.spec().stages[next];
    record.payload = StageEntered{verdict->event,     event.revision,  int(next),   stage.name,
                                  stage.exposure_ppm, event.visit + 1, "in a hurry"};
    record.seq = ++seq;
    invariants.take(record);
    break;
  }
  EXPECT_TRUE(tells(invariants.broken(), "a stage grew that has not passed"));
}

TEST(Invariants, FindAnEngineThatDoesNotCloseIntake) {
  const auto broken = found_in([](const Record& record) {
    const auto* intake = as<IntakeChanged>(record);
    return !intake || intake->to != IntakeState::Closed;
  });
  EXPECT_TRUE(tells(broken, "has its intake open in a phase that admits nobody"));
}

TEST(Invariants, FindAnEngineThatLeavesAnUndoOut) {
  const auto broken = found_in([](const Record& record) {
    const auto* started = as<StepStarted>(record);
    const auto* finished = as<StepFinished>(record);
    return !(started && started->direction == StepDirection::Undo) &&
           !(finished && finished->direction == StepDirection::Undo);
  });
  EXPECT_TRUE(tells(broken, "rolled back with a step that is not undone"));
}

TEST(Invariants, FindARecordThatIsMissing) {
  Invariants invariants;
  for (const Record& record : as_it_should_be()) {
    if (record.seq != 3) invariants.take(record);
    if (record.seq > 4) break;
  }
  EXPECT_TRUE(tells(invariants.broken(), "a record is missing"));
}

// Records of another story, numbered anew; `changes` makes of them what a rival would have written.
template <class Changes>
std::vector<std::string> found_in_groups(const Changes& changes) {
  Theatre theatre;
  EXPECT_TRUE(theatre.apply("groups.yaml", manifest_text("groups.yaml")));
  EXPECT_TRUE(theatre.apply("gala.yaml", manifest_text("group-gala.yaml")));
  theatre.advance(seconds(5));
  EXPECT_TRUE(theatre.apply("feast.yaml", manifest_text("group-feast-less.yaml")));
  EXPECT_TRUE(theatre.command(FlagCommand{false, "door"}));
  EXPECT_TRUE(theatre.command(FlagCommand{true, "door"}));
  Invariants invariants;
  std::uint64_t seq = 0;
  for (Record record : theatre.take_records()) {
    if (!changes(&record)) continue;
    record.seq = ++seq;
    invariants.take(record);
  }
  return invariants.broken();
}

TEST(Invariants, APartThatTwoEventsHaveIsFound) {
  EXPECT_EQ(found_in_groups([](Record*) { return true; }), std::vector<std::string>());
  EXPECT_TRUE(tells(found_in_groups([](Record* record) {
                      auto* bounded = std::get_if<ExposureBounded>(&record->payload);
                      if (bounded && bounded->event == "feast")
                        bounded->bounds.buckets = {{500'000, 700'000}};
                      return true;
                    }),
                    "two events of one exclusion group"));
}

TEST(Invariants, AFlagThatIsReopenedWithoutAKillIsFound) {
  EXPECT_TRUE(tells(found_in_groups([](Record* record) {
                      return !std::holds_alternative<FlagKilled>(record->payload);
                    }),
                    "re-opened that was not killed"));
}

// A crowded fleet, and the same as a rival would have told of it.
template <class Changes>
std::vector<std::string> found_in_degradation(const Changes& changes) {
  Theatre theatre;
  EXPECT_TRUE(theatre.apply("degrading.yaml", manifest_text("degrading.yaml")));
  theatre.traffic = {0.9, seconds(20), {}, 2, {}, {}};
  theatre.advance(minutes(2));
  theatre.traffic.sessions_per_s = 0;
  theatre.advance(minutes(3));
  Invariants invariants;
  std::uint64_t seq = 0;
  for (Record record : theatre.take_records()) {
    if (!changes(&record)) continue;
    record.seq = ++seq;
    invariants.take(record);
  }
  return invariants.broken();
}

TEST(Invariants, FeaturesThatGoOrComeOutOfTurnAreFound) {
  EXPECT_EQ(found_in_degradation([](Record*) { return true; }), std::vector<std::string>());
  EXPECT_TRUE(tells(found_in_degradation([](Record* record) {
                      const auto* gone = std::get_if<FeatureWithdrawn>(&record->payload);
                      return !gone || gone->feature != "leaderboards";
                    }),
                    "a more important feature was withdrawn first"));
  EXPECT_TRUE(tells(found_in_degradation([](Record* record) {
                      return !std::holds_alternative<StressChanged>(record->payload);
                    }),
                    "without stress"));
  EXPECT_TRUE(tells(found_in_degradation([](Record* record) {
                      const auto* back = std::get_if<FeatureReturned>(&record->payload);
                      return !back || back->feature != "party-finder";
                    }),
                    "before those that went after it"));
}

}  // namespace
}  // namespace showcaller::test
