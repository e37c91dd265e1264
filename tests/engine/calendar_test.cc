// SPDX-License-Identifier: Apache-2.0
// What meets in the calendar, what does not, and when there is room.
#include "engine/calendar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "engine/known.h"

namespace showcaller {
namespace {

constexpr std::string_view kCalendarHouse = R"(
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: ops }
spec:
  builds: [ { version: 1, command: [raid] }, { version: 2, command: [raid] }, { version: 3, command: [raid] } ]
  regions: [ { name: eu, zone: Europe/Berlin }, { name: us, zone: America/New_York } ]
---
apiVersion: showcaller.dev/v1
kind: ExclusionGroup
metadata: { name: apart, owner: ops }
spec: {}
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: ops }
spec: { state: ENABLED, variants: { open: true, shut: false }, defaultVariant: shut }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: gate, owner: ops }
spec: { state: ENABLED, variants: { open: true, shut: false }, defaultVariant: shut }
---)";

// A day's rollout that begins two hours before its start, and ends four days later.
std::string calendar_event(std::string_view name, std::string_view start, std::string_view change,
                           std::string_view more = "") {
  const Instant begins = parse_instant(start).value();
  return fmt::format(R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: {{ name: {}, owner: ops }}
spec:
  schedule: {{ start: "{}", end: "{}" }}
  changes: [ {} ]
  rollout:
    begin: 2h before start
    stages: [ {{ name: early, exposure: 10%, bake: 4h }}, {{ name: world, exposure: 100%, bake: 4h }} ]
{}
---)",
                     name, format_instant(begins), format_instant(begins + hours(96)), change,
                     more);
}

class Calendar : public testing::Test {
 protected:
  void apply(std::string_view text) {
    const std::vector<SourceFile> files = {{"a.yaml", std::string(text)}};
    ParseOptions options;
    options.known = known_manifests(std::make_shared<const World>(engine_.world()));
    ParseOutcome outcome = parse_manifests(files, options);
    ASSERT_TRUE(outcome.ok()) << format_findings(outcome.findings, files);
    std::vector<std::shared_ptr<const Manifest>> manifests;
    for (Manifest& manifest : outcome.manifests)
      manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
    std::vector<Record> records;
    const auto receipt =
        engine_.take(Command{ApplyCommand{manifests}, ann_, {}, {}, {}}, now_, &records);
    ASSERT_TRUE(receipt) << receipt.error().message;
  }

  // "KIND EVENT OTHER WHAT", a line each; ordered ones in brackets.
  std::string meetings() const {
    std::string out;
    const json::object seen = view();
    for (const json::value& value : seen.at("conflicts").as_array()) {
      const json::object& row = value.as_object();
      const bool ordered = get_bool(row, "ordered");
      out += fmt::format("{}{} {} {} {}{}\n", ordered ? "[" : "", get_string(row, "kind"),
                         get_string(row, "event"), get_string(row, "other"),
                         get_string(row, "what"), ordered ? "]" : "");
    }
    return out;
  }
  std::string slots() const { return to_json_text(view().at("slots")); }
  json::object view() const { return calendar_view(engine_.world(), now_); }

  Actor ann_{"ann", {"admin"}};
  Instant now_ = parse_instant("2026-12-01T12:00:00Z").value();
  Engine engine_{World{}, 1};
};

TEST_F(Calendar, WhatIsApartDoesNotMeet) {
  apply(std::string(kCalendarHouse) +
        calendar_event("one", "2026-12-05T18:00:00Z", "build: { fleet: raid, version: 2 }") +
        calendar_event("two", "2026-12-20T18:00:00Z", "build: { fleet: raid, version: 3 }"));
  EXPECT_EQ(meetings(), "");
  EXPECT_EQ(slots(), "{}");
}

TEST_F(Calendar, RolloutsOfOneFleetShareItsCapacity) {
  apply(std::string(kCalendarHouse) +
        calendar_event("one", "2026-12-05T18:00:00Z", "build: { fleet: raid, version: 2 }") +
        calendar_event("two", "2026-12-05T20:00:00Z", "build: { fleet: raid, version: 3 }",
                       "  after: [one]"));
  EXPECT_EQ(meetings(), "[key one two build:raid]\ncapacity one two raid\naudience one two \n");
  // Each could wait until the other's rollout is over: it begins two hours before the start.
  EXPECT_EQ(slots(), R"({"one":"2026-12-06T04:00:00Z","two":"2026-12-06T02:00:00Z"})");
}

TEST_F(Calendar, JudgedOnTheSamePlayersOrKeptApart) {
  constexpr std::string_view kGated =
      "  gates: [ { metric: session.crashed, worse_by_at_most: 1%, on_fail: rollback } ]\n";
  const auto in_group = [&](std::string_view share) {
    return fmt::format("    exclusion: {{ group: apart, share: {} }}\n{}", share, kGated);
  };
  apply(std::string(kCalendarHouse) +
        calendar_event("one", "2026-12-05T18:00:00Z", "flag: { key: door, to: open }", kGated) +
        calendar_event("two", "2026-12-05T20:00:00Z", "flag: { key: gate, to: open }", kGated));
  EXPECT_EQ(meetings(), "audience one two \n");
  apply(calendar_event("one", "2026-12-05T18:00:00Z", "flag: { key: door, to: open }",
                       in_group("40%")) +
        calendar_event("two", "2026-12-05T20:00:00Z", "flag: { key: gate, to: open }",
                       in_group("40%")));
  EXPECT_EQ(meetings(), "");
}

TEST_F(Calendar, AFreezeIsWaitedFor) {
  apply(std::string(kCalendarHouse) + R"(
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house, owner: ops }
spec:
  freezes:
    - { name: holidays, from: 2026-12-05T00:00:00Z, to: 2026-12-07T00:00:00Z, reason: nobody is there }
---)" + calendar_event("one", "2026-12-05T18:00:00Z", "flag: { key: door, to: open }"));
  EXPECT_EQ(meetings(), "freeze one holidays house\n");
  EXPECT_EQ(slots(), R"({"one":"2026-12-07T02:00:00Z"})");
  const json::object seen = view();
  const json::object& freeze = seen.at("freezes").as_array()[0].as_object();
  EXPECT_EQ(get_string(freeze, "reason"), "nobody is there");
}

TEST_F(Calendar, WhatHasNoEndLeavesNoRoom) {
  apply(std::string(kCalendarHouse) + R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: endless, owner: ops }
spec: { changes: [ { flag: { key: door, to: open } } ] }
---)");
  CalendarPlan wish{.name = "wish", .owner = "ops"};
  wish.in_force = {now_ + hours(24), now_ + hours(48)};
  wish.rollout = {now_ + hours(24), now_ + hours(25)};
  wish.keys = {"flag:door"};
  EXPECT_FALSE(next_clean_delay(engine_.world(), wish, now_));
  wish.keys = {"flag:gate"};
  EXPECT_EQ(next_clean_delay(engine_.world(), wish, now_), Duration(0));
}

TEST_F(Calendar, RegionsHaveTheirZones) {
  apply(kCalendarHouse);
  EXPECT_EQ(to_json_text(view().at("zones")), R"({"eu":"Europe/Berlin","us":"America/New_York"})");
}

}  // namespace
}  // namespace showcaller
