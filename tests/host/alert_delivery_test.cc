// SPDX-License-Identifier: Apache-2.0
// What is told of an alert, when, how often, and what is not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/alert_view.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr std::string_view kHouse = R"(apiVersion: showcaller.dev/v1
kind: Team
metadata: {{ name: team-raids, owner: team-raids }}
spec:
  members: [ann]
  contacts: {{ ann: "+49 1" }}
  escalation: [team-platform]
  escalate_after: [5m]
  routes:
    - {{ name: pager, type: webhook, url: "http://127.0.0.1:1/", least: page }}
    - {{ name: watch, type: {}, url: "http://127.0.0.1:1/" }}
---
apiVersion: showcaller.dev/v1
kind: Team
metadata: {{ name: team-platform, owner: team-platform }}
spec:
  routes: [ {{ name: platform, type: slack, url: "http://127.0.0.1:1/" }} ]
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: {{ name: raid, owner: team-raids }}
spec:
  base: 1.0.0
  builds: [ {{ version: 1.0.0, command: [raid] }}, {{ version: 1.1.0, command: [raid] }} ]
  capacity: {{ min: 10, max: 400, buffer: 10 }}
  session: {{ length_max: 1m }}
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: {{ name: matches, owner: team-raids }}
spec:
  runbook: runbooks/matches.md
  slos: [ {{ name: stays-up, metric: session.crashed, objective: "99%" }} ]
)";

class AlertDelivery : public testing::Test {
 protected:
  void open(const std::string& watch_type = "webhook") {
    const auto applied =
        theatre_.apply("house.yaml", fmt::format(fmt::runtime(std::string(kHouse)), watch_type));
    ASSERT_TRUE(applied) << applied.error().message;
    theatre_.traffic.sessions_per_s = 5;
    theatre_.advance(minutes(5));
  }
  void hurt() { theatre_.traffic.crash_share["1.0.0"] = 0.5; }
  void heal() { theatre_.traffic.crash_share["1.0.0"] = 0; }
  const std::vector<json::object>& told(const std::string& route) {
    return theatre_.alerts.told[route];
  }
  // Second by second until somebody is told.
  Duration until_told(const std::string& route, std::size_t times, Duration most) {
    Duration passed{};
    for (; passed < most && told(route).size() < times; passed += seconds(1))
      theatre_.advance(seconds(1));
    return passed;
  }
  std::string only_alert() {
    std::string id;
    theatre_.world()->alerts.each([&](const std::string& open, const Alert&) { id = open; });
    return id;
  }

  Theatre theatre_;
};

// Ticks are ten seconds apart; whoever is told is told in the second of the tick that shows it.
TEST_F(AlertDelivery, AnAlertLeavesWithTheTickThatShowsIt) {
  open();
  hurt();
  until_told("pager", 1, minutes(5));
  ASSERT_EQ(told("pager").size(), 1u);
  Instant opened{};
  theatre_.world()->alerts.each(
      [&](const std::string&, const Alert& alert) { opened = alert.opened; });
  EXPECT_LE(theatre_.host().engine().now() - opened, seconds(2));
  const json::object& alert = told("pager").front();
  EXPECT_EQ(get_string(alert, "id"), only_alert());
  EXPECT_EQ(get_string(alert, "state"), "firing");
  EXPECT_EQ(get_string(alert, "subject"), "Service/matches");
  EXPECT_EQ(get_string(alert, "runbook"), "runbooks/matches.md");
  EXPECT_EQ(get_int(alert, "change"), 1);
  EXPECT_GT(get_int(alert, "players_at_risk"), 0);
  EXPECT_EQ(get_string(alert.at("contacts").as_object(), "ann"), "+49 1");
}

TEST_F(AlertDelivery, EachChangeIsToldOnceAndARestartTellsNothingAgain) {
  open();
  hurt();
  until_told("pager", 1, minutes(5));
  theatre_.advance(minutes(2));
  EXPECT_EQ(told("pager").size(), 1u);
  theatre_.restart(seconds(30));
  theatre_.advance(minutes(1));
  EXPECT_EQ(told("pager").size(), 1u);
  EXPECT_EQ(told("watch").size(), 1u);
  // Nobody acknowledges: the next team is called, and the first told so.
  theatre_.advance(minutes(3));
  EXPECT_EQ(told("platform").size(), 1u);
  EXPECT_EQ(told("pager").size(), 2u);
  const std::string id = only_alert();
  ASSERT_TRUE(theatre_.command(AlertCommand{id, AlertVerb::Acknowledge}));
  theatre_.advance(minutes(1));
  EXPECT_EQ(get_string(told("platform").back(), "acknowledged_by"), "ann");
  heal();
  theatre_.advance(minutes(10));
  for (const char* route : {"pager", "watch", "platform"}) {
    EXPECT_EQ(get_string(told(route).back(), "state"), "resolved") << route;
    EXPECT_EQ(get_string(told(route).back(), "id"), id) << route;
  }
}

TEST_F(AlertDelivery, WhatFailsIsTriedAgainAndAtLastADeadLetter) {
  open();
  theatre_.alerts.answers["pager"] = AlertSent::Again;
  theatre_.alerts.answers["watch"] = AlertSent::Refused;
  hurt();
  until_told("pager", 3, minutes(5));
  EXPECT_EQ(told("watch").size(), 1u);
  ASSERT_TRUE(theatre_.command(AlertCommand{only_alert(), AlertVerb::Acknowledge}));
  theatre_.advance(minutes(20));
  EXPECT_EQ(told("pager").size(), 3u + kAlertAttemptsMax);
  const json::array dead = dead_letters_view(*theatre_.world());
  ASSERT_EQ(dead.size(), 2u);
  EXPECT_EQ(get_string(dead[0].as_object(), "route"), "team-raids/pager");
  EXPECT_EQ(get_int(dead[0].as_object(), "attempts"), kAlertAttemptsMax);
  EXPECT_EQ(theatre_.host().alerts()->totals().dead, 3u);
  // The next change is a new letter.
  theatre_.alerts.answers.clear();
  heal();
  theatre_.advance(minutes(10));
  EXPECT_EQ(get_string(told("pager").back(), "state"), "resolved");
  EXPECT_TRUE(dead_letters_view(*theatre_.world()).empty());
}

// Players suffer, and then the engine undoes what they suffer from: the same alert, and its routes
// hear of it.
TEST_F(AlertDelivery, ARollbackThatJoinsIsAnUpdateAndNoSecondPage) {
  open("alertmanager");
  ASSERT_TRUE(theatre_.apply("feast.yaml", R"(apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: feast, owner: team-raids }
spec:
  changes: [ { build: { fleet: raid, version: 1.1.0 } } ]
  rollout: { stages: [ { name: half, exposure: 50%, bake: 20m } ] }
  analysis: { tick: 10s, warmup: 20s }
  gates: [ { metric: session.crashed, worse_by_at_most: 1%, on_fail: rollback } ]
)"));
  theatre_.traffic.crash_share = {{"1.0.0", 0.005}, {"1.1.0", 0.8}};  // The gate compares.
  until_told("pager", 1, minutes(5));
  ASSERT_TRUE(theatre_.command(AlertCommand{only_alert(), AlertVerb::Acknowledge}));
  until_told("pager", 3, minutes(40));
  ASSERT_EQ(told("pager").size(), 3u);
  EXPECT_EQ(get_string(told("pager").front(), "cause"), "burn");
  EXPECT_FALSE(told("pager").front().contains("latest"));
  const json::object& update = told("pager").back();
  EXPECT_EQ(get_string(update, "id"), get_string(told("pager").front(), "id"));
  EXPECT_EQ(get_string(update, "state"), "acknowledged") << "nobody is called again";
  EXPECT_EQ(get_int(update, "change"), 3);
  EXPECT_NE(get_string(update, "latest").find("feast"), std::string::npos);
  EXPECT_TRUE(std::ranges::any_of(update.at("group").as_array(), [](const json::value& member) {
    return get_string(member.as_object(), "cause") == "rollback";
  }));
  EXPECT_EQ(get_string(told("watch").back(), "latest"), get_string(update, "latest"));
  EXPECT_EQ(theatre_.world()->alerts.size(), 1u);
}

TEST_F(AlertDelivery, AlertmanagerIsToldEachMinuteWhileItFires) {
  open("alertmanager");
  hurt();
  until_told("watch", 1, minutes(5));
  theatre_.advance(minutes(3));
  EXPECT_GE(told("watch").size(), 3u);
  EXPECT_LE(told("watch").size(), 5u);
  EXPECT_EQ(told("pager").size(), 1u);
}

TEST_F(AlertDelivery, WhatIsSilencedWaitsForTheEndOfItsSilence) {
  open();
  ASSERT_TRUE(theatre_.command(SilenceCommand{"Service/matches", "", minutes(10)}));
  hurt();
  theatre_.advance(minutes(9));
  ASSERT_NE(only_alert(), "");
  EXPECT_TRUE(told("pager").empty());
  EXPECT_TRUE(told("platform").empty());
  theatre_.advance(minutes(3));
  ASSERT_EQ(told("pager").size(), 1u);
  EXPECT_TRUE(told("platform").empty());  // The wait begins when somebody is called.
  theatre_.advance(minutes(5));
  EXPECT_EQ(told("platform").size(), 1u);
}

TEST_F(AlertDelivery, ARouteIsTested) {
  open();
  std::string detail;
  ASSERT_TRUE(theatre_.host().alerts()->test(
      "team-raids", "pager", [&](AlertSent, std::string said) { detail = std::move(said); }));
  EXPECT_EQ(detail, "as told");
  EXPECT_EQ(get_string(told("pager").back(), "state"), "resolved");
  const Status none = theatre_.host().alerts()->test("team-raids", "pigeon", {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "team 'team-raids' has no route 'pigeon'; its manifest says which it has");
}

}  // namespace
}  // namespace showcaller::test
