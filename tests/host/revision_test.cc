// SPDX-License-Identifier: Apache-2.0
// What a revision may change of an event that players are in, and what other manifests may change
// under it: a table of both, each refusal by the key or the name that it is about.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

constexpr const char* kRevisionHouse = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: raids, owner: raids }
spec: { members: [ann, bob] }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: entrance, owner: raids }
spec:
  state: ENABLED
  variants: { open: true, ajar: true, closed: false }
  defaultVariant: closed
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: grants, owner: raids }
spec: { url: "http://127.0.0.1:1/api" }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: refunds, owner: raids }
spec: { url: "http://127.0.0.1:1/refunds" }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: raid.failed, owner: raids }
spec: { type: binary, better: lower }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: raids }
spec:
  base: 1.0.0
  builds:
    - { version: 1.0.0, command: [raid, --old] }
    - { version: 1.1.0, command: [raid, --new] }
    - { version: 1.2.0, command: [raid, --newer] }
  regions: [ { name: eu, zone: Europe/Berlin }, { name: us, zone: America/New_York } ]
  capacity: { min: 4, max: 40, buffer: 2, canary_min: 2 }
)";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  if (at != text.npos) text.replace(at, from.size(), to);
  return text;
}

constexpr const char* kShow = R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: show, owner: raids }
spec:
  schedule: { zone: UTC, end: 2026-12-02T12:00 }
  changes:
    - build: { fleet: raid, version: 1.1.0 }
    - flag: { key: entrance, to: open }
    - action: { do: grants/open, undo: refunds/close }
  rollout:
    unit: player
    stages:
      - { name: early, exposure: 2%, regions: [eu, us], bake: 1m, gated: false }
      - { name: canary, exposure: 10%, bake: 10m }
      - { name: half, exposure: 50%, bake: 10m }
      - { name: world, exposure: 100%, bake: 10m }
  gates:
    - { metric: raid.failed, worse_by_at_most: 5%, on_fail: hold }
  watch: { for: until_end, holdback: 5% }
)";

// The event in its second stage.
class Revision : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(theatre_.apply("house.yaml", kRevisionHouse));
    theatre_.advance(seconds(10));
    const auto applied = theatre_.apply("show.yaml", kShow);
    ASSERT_TRUE(applied) << applied.error().message;
    theatre_.advance(minutes(2));
    ASSERT_EQ(event().stage, 1) << *event().phase_reason;
  }
  const EventState& event() { return *theatre_.world()->event("show"); }
  // Empty: it was taken, and is in force.
  std::string revise(std::string_view from, std::string_view to) {
    const std::int64_t before = event().revision;
    const auto applied = theatre_.apply("show.yaml", replaced(kShow, from, to));
    if (!applied) return applied.error().message;
    EXPECT_GT(event().revision, before) << to;
    return "";
  }
  std::string change(std::string_view from, std::string_view to) {
    const auto applied = theatre_.apply("house.yaml", replaced(kRevisionHouse, from, to));
    return applied ? "" : applied.error().message;
  }

  Theatre theatre_;
};

TEST_F(Revision, OfWhatPlayersAreInIsRefusedByItsKey) {
  struct Row {
    std::string_view from, to, key;
  };
  for (const Row& row : {
           Row{"unit: player", "unit: party", "rollout.unit"},
           Row{"regions: [eu, us]", "regions: [eu]", "rollout.stages[early].regions"},
           Row{"exposure: 2%", "exposure: 1%", "rollout.stages[early].exposure"},
           Row{"exposure: 2%", "exposure: 9%", "rollout.stages[early].exposure"},
           Row{"exposure: 10%", "exposure: 40%", "rollout.stages[canary].exposure"},
           Row{"exposure: 10%, bake: 10m", "exposure: 10%, bake: 10m, gated: false",
               "rollout.stages[canary].gated"},
           Row{"name: early", "name: soon", "rollout.stages[early].name"},
           Row{"holdback: 5%", "holdback: 95%", "watch.holdback"},
           Row{"version: 1.1.0", "version: 1.2.0", "changes"},
       }) {
    const std::string refused = revise(row.from, row.to);
    EXPECT_NE(refused.find(fmt::format("so its {} can't be revised under them; ", row.key)),
              refused.npos)
        << row.to << ": " << refused;
  }
  EXPECT_EQ(event().revision, 1);
}

TEST_F(Revision, OfWhatIsStillToComeIsTaken) {
  EXPECT_EQ(revise("exposure: 50%, bake: 10m", "exposure: 30%, bake: 1h"), "");
  EXPECT_EQ(revise("exposure: 10%, bake: 10m", "exposure: 10%, bake: 2h"), "");
  EXPECT_EQ(revise("holdback: 5%", "holdback: 1%"), "") << "no stage has come to it";
  EXPECT_EQ(revise("worse_by_at_most: 5%", "worse_by_at_most: 2%"), "");
  EXPECT_EQ(event().revision, 5);
  EXPECT_EQ(event().stage, 1);
}

TEST_F(Revision, MayNotNameWhatIsNotThere) {
  const std::string refused = revise("metric: raid.failed", "metric: raid.faild");
  EXPECT_NE(refused.find("raid.faild"), refused.npos) << refused;
}

TEST_F(Revision, WhatAnEventUsesIsNotTakenFromUnderIt) {
  struct Row {
    std::string_view from, to, what;
  };
  for (const Row& row : {
           Row{"    - { version: 1.1.0, command: [raid, --new] }\n", "",
               "Fleet 'raid' has no build 1.1.0"},
           Row{"{ open: true, ajar", "{ ajar", "Flag 'entrance' has no variant 'open'"},
           Row{"type: binary", "type: count", "gate raid.failed is judging by Metric"},
       }) {
    const std::string refused = change(row.from, row.to);
    EXPECT_NE(refused.find("LiveEvent 'show' uses it (" + std::string(row.what)), refused.npos)
        << refused;
  }
  for (const auto& [kind, name] :
       {std::pair(Kind::Metric, "raid.failed"), std::pair(Kind::Service, "grants"),
        std::pair(Kind::Service, "refunds"), std::pair(Kind::Flag, "entrance")}) {
    const auto refused = theatre_.command(RemoveCommand{kind, name});
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_NE(refused.error().message.find("LiveEvent 'show' uses it"), std::string::npos)
        << refused.error().message;
  }
  EXPECT_EQ(change("    - { version: 1.2.0, command: [raid, --newer] }\n", ""), "")
      << "nobody uses that one";
  EXPECT_EQ(change("base: 1.0.0", "base: 1.1.0"), "") << "what is proven may become the base";

  ASSERT_TRUE(theatre_.command(EventCommand{"show", EventVerb::Rollback}));
  EXPECT_FALSE(theatre_.command(RemoveCommand{Kind::Service, "refunds"})) << "its undo is to come";
  theatre_.advance(minutes(2));
  EXPECT_EQ(event().phase, Phase::RolledBack);
  for (const char* service : {"grants", "refunds"})
    EXPECT_TRUE(theatre_.command(RemoveCommand{Kind::Service, service})) << service;
}

TEST_F(Revision, AKeyIsOneCommands) {
  const auto send = [&](EventVerb verb, const std::string& key, const std::string& reason) {
    return theatre_.command(EventCommand{"show", verb}, "ops", reason, key);
  };
  const auto held = send(EventVerb::Hold, "k1", "lunch");
  ASSERT_TRUE(held);
  EXPECT_TRUE(send(EventVerb::Hold, "k1", "supper")->repeated) << "the reason is no part of it";
  const auto swallowed = send(EventVerb::Rollback, "k1", "it burns");
  ASSERT_FALSE(swallowed);
  EXPECT_EQ(swallowed.error().code, ErrorCode::KeyTaken);
  EXPECT_EQ(swallowed.error().message,
            fmt::format("the idempotency key 'k1' belongs to another command of 'ops' (record {}), "
                        "and this one was not carried out; send it with a new key",
                        held->seq));
  EXPECT_EQ(event().phase, Phase::RollingOut);
  theatre_.restart(seconds(1));
  EXPECT_EQ(send(EventVerb::Rollback, "k1", "it burns").error().code, ErrorCode::KeyTaken)
      << "the journal keeps whose it was";
  EXPECT_TRUE(send(EventVerb::Rollback, "k2", "it burns"));
}

}  // namespace
}  // namespace showcaller::test
