// SPDX-License-Identifier: Apache-2.0
// What comes of a drill, row by row: what was seen and told in its course, and the score of it.
#include "engine/drill_score.h"

#include <functional>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

constexpr std::int64_t kServing = 10;

Record told(Payload payload) {
  Record record;
  record.payload = std::move(payload);
  return record;
}

Record rolls_back() {
  return told(PhaseChanged{"gala", 1, Phase::RollingOut, Phase::RollingBack, PhaseInput::Rollback,
                           "a gate failed"});
}

// One crash of instances after a minute; within two minutes a rollback, within five all are back.
DrillSpec drill_of(std::string kind) {
  DrillSpec drill;
  drill.event = "gala";
  drill.injects = {{"trouble", minutes(1), {std::move(kind), {}, {}}, {}}};
  drill.expect = {{DrillResponse::Rollback, minutes(2), "trouble"},
                  {DrillResponse::CapacityRestored, minutes(5), "trouble"}};
  drill.stop_when = {{.headroom_below_ppm = 100'000}, {.players_harmed_over = 500}};
  return drill;
}

// The drill, second by second of it.
class Course {
 public:
  explicit Course(DrillScore* score) : score_(score) {}
  Course& begin(int second) {
    score_->begin(0, moment(second, kServing));
    return *this;
  }
  Course& note(int second, const Record& record) {
    score_->note(record, seconds(second));
    return *this;
  }
  Course& serving(int second, std::int64_t instances) {
    score_->look(moment(second, instances));
    return *this;
  }
  Course& harmed(int second, std::int64_t players) {
    DrillMoment seen = moment(second, kServing);
    seen.players_harmed = players;
    score_->look(seen);
    return *this;
  }
  Course& headroom(int second, double headroom) {
    DrillMoment seen = moment(second, kServing);
    seen.headroom = headroom;
    score_->look(seen);
    return *this;
  }

 private:
  static DrillMoment moment(int second, std::int64_t serving) {
    return {seconds(second), serving, kServing, {}, {}};
  }
  DrillScore* score_;
};

struct Row {
  const char* name;
  const char* kind;
  std::function<void(Course)> course;
  DrillVerdict verdict;
  const char *rollback, *capacity;  // the states of what was expected
  double detected_s = -1;           // below zero: nobody noticed
};

const Row kRows[] = {
    {"all in time", "kill",
     [](Course c) {
       c.begin(60).serving(65, 7).note(70, told(InstanceMoved{"raid", "raid-1"}));
       c.note(100, rolls_back()).serving(300, kServing);
     },
     DrillVerdict::Pass, "met", "met", 10},
    {"a rollback too late", "kill",
     [](Course c) { c.begin(60).serving(65, 7).note(181, rolls_back()).serving(200, kServing); },
     DrillVerdict::Fail, "late", "met", 121},
    {"the last moment is in time", "kill",
     [](Course c) { c.begin(60).serving(65, 7).note(180, rolls_back()).serving(360, kServing); },
     DrillVerdict::Pass, "met", "met", 120},
    {"nothing comes", "kill", [](Course c) { c.begin(60).serving(65, 7).serving(400, 7); },
     DrillVerdict::Fail, "missed", "missed"},
    {"capacity that never fell is not restored", "kill",
     [](Course c) { c.begin(60).serving(65, kServing).note(100, rolls_back()); },
     DrillVerdict::Fail, "met", "missed", 40},
    {"what another event does is not its response", "kill",
     [](Course c) {
       c.begin(60).serving(65, 7).serving(300, kServing);
       c.note(100, told(PhaseChanged{"other", 1, Phase::RollingOut, Phase::RollingBack}));
     },
     DrillVerdict::Fail, "missed", "met"},
    {"what came before the inject is not its response", "kill",
     [](Course c) { c.note(30, rolls_back()).begin(60).serving(65, 7).serving(99, kServing); },
     DrillVerdict::Fail, "missed", "met"},
    {"an instance of another fleet tells of nothing", "kill",
     [](Course c) { c.begin(60).note(70, told(InstanceMoved{"duel", "duel-1"})); },
     DrillVerdict::Fail, "missed", "missed"},
    {"an instance that ends as it was told tells of nothing", "kill",
     [](Course c) {
       c.begin(60).note(70, told(InstanceMoved{"raid", "raid-1", InstancePhase::Draining}));
       c.note(80, told(InstanceMoved{"raid", "raid-1"}));
     },
     DrillVerdict::Fail, "missed", "missed"},
    {"a lost instance tells of nothing where none is taken", "errors",
     [](Course c) { c.begin(60).note(70, told(InstanceMoved{"raid", "raid-1"})); },
     DrillVerdict::Fail, "missed", "missed"},
    {"an inject that was never played", "kill", [](Course c) { c.serving(65, kServing); },
     DrillVerdict::Fail, "not_played", "not_played"},
    {"too many are harmed", "errors", [](Course c) { c.begin(60).harmed(70, 501); },
     DrillVerdict::Stopped, "stopped", "stopped"},
    {"as many are harmed as may be", "errors", [](Course c) { c.begin(60).harmed(70, 500); },
     DrillVerdict::Fail, "missed", "missed"},
    {"too little headroom, after a response", "kill",
     [](Course c) { c.begin(60).note(70, rolls_back()).headroom(80, 0.09); }, DrillVerdict::Stopped,
     "met", "stopped", 10},
    {"nothing stops it before the first inject", "kill",
     [](Course c) { c.headroom(30, 0.01).begin(60); }, DrillVerdict::Fail, "missed", "missed"},
};

TEST(DrillScore, IsWhatCameOfIt) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    DrillScore score(drill_of(row.kind), "raid");
    row.course(Course(&score));
    EXPECT_EQ(to_string(score.verdict()), to_string(row.verdict));
    const json::object report = score.report();
    EXPECT_EQ(get_string(report, "verdict"), to_string(row.verdict));
    const json::array& expectations = report.at("expectations").as_array();
    EXPECT_EQ(get_string(expectations[0].as_object(), "state"), row.rollback);
    EXPECT_EQ(get_string(expectations[1].as_object(), "state"), row.capacity);
    const json::object& inject = report.at("injects").as_array()[0].as_object();
    EXPECT_EQ(get_double(inject, "detected_after_s", -1), row.detected_s);
    EXPECT_EQ(report.contains("stopped"), row.verdict == DrillVerdict::Stopped);
  }
}

TEST(DrillScore, WaitsForWhatMayStillCome) {
  DrillScore score(drill_of("kill"), "raid");
  EXPECT_TRUE(score.waits(seconds(500))) << "the inject is still to come";
  Course course(&score);
  course.begin(60);
  EXPECT_TRUE(score.waits(seconds(359)));
  EXPECT_FALSE(score.waits(seconds(360)));
  EXPECT_TRUE(score.waits(seconds(959), DrillScore::Until::Late));
  EXPECT_FALSE(score.waits(seconds(960), DrillScore::Until::Late));
  course.note(70, rolls_back()).serving(75, 7).serving(90, kServing);
  EXPECT_FALSE(score.waits(seconds(91))) << "everything came";
}

}  // namespace
}  // namespace showcaller
