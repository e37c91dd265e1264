// SPDX-License-Identifier: Apache-2.0
// What `rehearse` says of a small event, and of what it cannot rehearse.
#include "cli/rehearse/rehearse_verb.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/json.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGame = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: raids, owner: raids }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: raids }
spec:
  base: 1.0.0
  builds:
    - { version: 1.0.0, command: [raid, --old] }
    - { version: 1.1.0, command: [raid, --new] }
  regions: [ { name: eu } ]
  capacity: { min: 40, max: 300, buffer: 30, canary_min: 6 }
  session: { length_max: 4m }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: raids }
spec:
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
  rollout:
    unit: party
    stages:
      - { name: canary, exposure: 20%, bake: { min: 5m, max: 40m } }
      - { name: world, exposure: 100%, bake: 1m, gated: false }
  analysis: { tick: 10s, warmup: 20s, profile: C }
  gates:
    - { metric: session.crashed, worse_by_at_most: 0%, must_detect: 8x, on_fail: rollback }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: other, owner: raids }
spec:
  priority: 1
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
)";

class Rehearse : public testing::Test {
 protected:
  Rehearse() : folder_(fs::path(testing::TempDir()) / "rehearse-verb") {
    fs::create_directories(folder_);
    write("game.yaml", kGame);
    write("people.yaml", "players: 900\nsession: { length: 90s, players: 4, crashes: 1% }\n");
    request_.paths = {folder_ / "game.yaml"};
    request_.population = folder_ / "people.yaml";
    request_.event = "gala";
    request_.at = "2026-06-01T12:00:00Z";
    request_.form = OutputForm::Json;
    request_.runs = 3;
  }
  ~Rehearse() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
  }
  // The exit code; what was said is in out_ and err_.
  int run() {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = rehearse_verb(request_);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }

  fs::path folder_;
  RehearseRequest request_;
  std::string out_, err_;
};

TEST_F(Rehearse, AGoodReleaseAndAFaultThatIsCaughtPass) {
  request_.faults = {"crashes:15"};
  EXPECT_EQ(run(), 0) << out_ << err_;
  const auto report = parse_json(out_);
  ASSERT_TRUE(report);
  EXPECT_EQ(get_string(report->as_object(), "verdict"), "pass");
  const json::object& fault = report->at("faults").at(0).as_object();
  EXPECT_TRUE(fault.at("caught_by").as_object().contains("session.crashed")) << out_;
  const std::string once = out_;
  run();
  EXPECT_EQ(out_, once);
}

TEST_F(Rehearse, ACalendarIsRehearsedTogether) {
  request_.event.clear();
  request_.faults = {"none"};
  request_.runs = 1;
  run();
  const auto report = parse_json(out_);
  ASSERT_TRUE(report) << out_ << err_;
  const json::array& calendar = report->at("calendar").as_array();
  ASSERT_EQ(calendar.size(), 2u);
  std::set<std::string> events;
  for (const json::value& each : calendar) {
    events.insert(get_string(each.as_object(), "event"));
    EXPECT_EQ(each.at("runs").as_int64(), 1);
  }
  EXPECT_EQ(events, (std::set<std::string>{"gala", "other"}));
}

TEST_F(Rehearse, AnEventThatIsOverByThenIsLeftOut) {
  write("past.yaml", R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: spring, owner: raids }
spec:
  priority: 2
  schedule: { start: 2026-03-01T10:00:00Z, end: 2026-03-05T10:00:00Z }
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
)");
  request_.paths.push_back(folder_ / "past.yaml");
  request_.faults = {"none"};
  request_.runs = 1;
  run();
  EXPECT_NE(err_.find("gala is played without spring, over by then"), std::string::npos) << err_;
}

// With no time at all the first run is made, and the report says what was not played.
TEST_F(Rehearse, WhatDoesNotFitIntoTheTimeIsSaid) {
  request_.faults = {"crashes:15", "errors:20"};
  request_.runs = 0;
  request_.within = "0s";
  request_.threads = 1;
  EXPECT_EQ(run(), 3) << out_ << err_;
  EXPECT_EQ(parse_json(out_)->at("runs").as_int64(), 1);
  EXPECT_NE(out_.find("2 of 2 faults were not played"), std::string::npos) << out_;
}

// Under a policy by which what nothing has proven only warns, no rehearsal could prove anything.
TEST_F(Rehearse, GatesActUnderAPolicyThatAsksForProofs) {
  write("policy.yaml", R"(
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: proven-gates, owner: raids }
spec: { gates: { unproven: warn } }
)");
  request_.paths.push_back(folder_ / "policy.yaml");
  request_.faults = {"crashes:15"};
  EXPECT_EQ(run(), 0) << out_ << err_;
  const json::value report = parse_json(out_).value();
  EXPECT_TRUE(report.at("faults").at(0).at("endings").as_object().contains("rolled_back")) << out_;
}

TEST_F(Rehearse, AShortRehearsalRecordsNothingAndSaysWhy) {
  request_.faults = {"crashes:15"};
  request_.record = true;
  EXPECT_EQ(run(), 0) << out_ << err_;
  EXPECT_NE(
      err_.find(
          "not recorded: the rehearsal of gala made 1 of the 20 clean runs that prove a gate"),
      std::string::npos)
      << err_;
}

TEST_F(Rehearse, NoneIsCleanRunsAlone) {
  request_.faults = {"none"};
  EXPECT_NE(run(), 1) << out_;  // One that chance makes look worse may be held.
  EXPECT_TRUE(parse_json(out_)->at("faults").as_array().empty());
  EXPECT_EQ(parse_json(out_)->at("clean").at("runs").as_int64(), 3);
}

TEST_F(Rehearse, WhatNeverActedIsNoMiss) {
  request_.faults = {"crashes:15@30d"};
  EXPECT_EQ(run(), 0) << out_;
  EXPECT_GT(get_int(parse_json(out_)->at("faults").at(0).as_object(), "never_acted"), 0);
}

TEST_F(Rehearse, ThePageStandsAlone) {
  request_.faults = {"crashes:15"};
  request_.html = folder_ / "page.html";
  EXPECT_EQ(run(), 0) << err_;
  std::ifstream file(request_.html);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos);
  EXPECT_EQ(page.find("nan"), std::string::npos);
}

TEST_F(Rehearse, WhatCannotBeRehearsedIsSaid) {
  const auto says = [&](const char* what) {
    EXPECT_EQ(run(), 2) << out_;
    EXPECT_NE(err_.find(what), std::string::npos) << err_;
  };
  request_.faults = {"region_loss/nowhere"};
  says("no fleet has 'nowhere'");
  request_.faults = {"crashes/eu"};
  says("only region_loss, partition and host_loss take a target");
  request_.faults = {"none"};
  request_.event = "galla";
  says("there is no LiveEvent 'galla'");
  request_.event = "gala";
  write("people.yaml", "regions: [ { name: eru } ]");
  says("did you mean 'eu'");
  write("people.yaml", "players: many");
  says("people.yaml:1:10");
  request_.population.clear();
  request_.story = true;
  says("--story tells one run as text");
}

}  // namespace
}  // namespace showcaller
