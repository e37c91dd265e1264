// SPDX-License-Identifier: Apache-2.0
#include "codec/alert_formats.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

json::object an_alert(const char* state = "firing") {
  json::object alert{{"id", "a17"},
                     {"change", 3},
                     {"subject", "Service/matches"},
                     {"cause", "burn"},
                     {"detail", "stays-up"},
                     {"state", state},
                     {"severity", "page"},
                     {"opened_at", "2026-12-18T18:00:00Z"},
                     {"team", "team-platform"},
                     {"owning_team", "team-raids"},
                     {"owner", "ann"},
                     {"text", "3 % <bad> & \"worse\""},
                     {"runbook", "runbooks/matches.md"},
                     {"next_steps", json::array{"showcaller status"}},
                     {"players_at_risk", 812}};
  if (std::string_view(state) == "resolved") alert["resolved_at"] = "2026-12-18T18:30:00Z";
  return alert;
}

json::object parsed(const std::string& text) {
  json::value value = parse_json(text).value();
  return value.is_array() ? value.as_array().front().as_object() : value.as_object();
}

const Instant kAlertNow = parse_instant("2026-12-18T18:10:00Z").value();

TEST(AlertFormats, AlertmanagerKnowsItByItsLabels) {
  const json::object firing = parsed(alertmanager_body(an_alert(), kAlertNow));
  const json::object resolved = parsed(alertmanager_body(an_alert("resolved"), kAlertNow));
  EXPECT_EQ(firing.at("labels"), resolved.at("labels"));
  EXPECT_EQ(get_string(firing.at("labels").as_object(), "team"), "team-raids");
  EXPECT_EQ(get_string(firing.at("labels").as_object(), "alert"), "a17");
  EXPECT_EQ(get_string(firing, "startsAt"), "2026-12-18T18:00:00Z");
  EXPECT_EQ(get_string(firing, "endsAt"), "2026-12-18T18:15:00Z");
  EXPECT_EQ(get_string(resolved, "endsAt"), "2026-12-18T18:30:00Z");
  EXPECT_EQ(get_string(firing.at("annotations").as_object(), "runbook"), "runbooks/matches.md");
  EXPECT_FALSE(firing.at("labels").as_object().contains("event"));
}

TEST(AlertFormats, WhatCameSinceItOpenedIsTold) {
  json::object alert = an_alert();
  alert["latest"] = "gala is rolled back";
  const json::object there = parsed(alertmanager_body(alert, kAlertNow));
  EXPECT_EQ(get_string(there.at("annotations").as_object(), "latest"), "gala is rolled back");
  EXPECT_EQ(there.at("labels"), parsed(alertmanager_body(an_alert(), kAlertNow)).at("labels"));
  EXPECT_NE(slack_body(alert).find("since then: gala is rolled back"), std::string::npos);
  EXPECT_NE(pager_duty_body(alert, "key").find("gala is rolled back"), std::string::npos);
}

TEST(AlertFormats, ACloudEventHasAllThatItNeeds) {
  const json::object event = parsed(cloud_event_body(an_alert("acknowledged"), kAlertNow));
  EXPECT_EQ(get_string(event, "specversion"), "1.0");
  EXPECT_EQ(get_string(event, "id"), "a17/3");
  EXPECT_EQ(get_string(event, "source"), "/showcaller");
  EXPECT_EQ(get_string(event, "type"), "dev.showcaller.alert.acknowledged");
  EXPECT_EQ(get_string(event, "subject"), "Service/matches");
  EXPECT_EQ(event.at("data").as_object(), an_alert("acknowledged"));
}

TEST(AlertFormats, SlacksOwnSignsAreNotTheAlerts) {
  const json::object message = parsed(slack_body(an_alert()));
  EXPECT_EQ(get_string(message, "text"), "[firing page] 3 % &lt;bad&gt; &amp; \"worse\"");
  EXPECT_EQ(message.at("blocks").as_array().size(), 3u);
  EXPECT_EQ(parsed(slack_body(an_alert("resolved"))).at("blocks").as_array().size(), 2u);
}

TEST(AlertFormats, LongTextsAreCutBetweenCharacters) {
  json::object alert = an_alert();
  std::string text;
  for (int i = 0; i < 2'000; ++i) text += "ü";
  alert["text"] = text;
  const std::string summary =
      get_string(parsed(pager_duty_body(alert, "k")).at("payload").as_object(), "summary");
  EXPECT_LE(summary.size(), 1'024u);
  EXPECT_TRUE(summary.ends_with("ü..."));
}

TEST(AlertFormats, PagerDutyIsToldWhatToDo) {
  EXPECT_EQ(get_string(parsed(pager_duty_body(an_alert(), "key")), "event_action"), "trigger");
  EXPECT_EQ(get_string(parsed(pager_duty_body(an_alert("acknowledged"), "key")), "event_action"),
            "acknowledge");
  const json::object resolved = parsed(pager_duty_body(an_alert("resolved"), "key"));
  EXPECT_EQ(get_string(resolved, "event_action"), "resolve");
  EXPECT_EQ(get_string(resolved, "dedup_key"), "a17");
  EXPECT_EQ(get_string(resolved, "routing_key"), "key");
  EXPECT_EQ(get_string(resolved.at("payload").as_object(), "severity"), "critical");
}

}  // namespace
}  // namespace showcaller
