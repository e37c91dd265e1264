// SPDX-License-Identifier: Apache-2.0
// What plan says before anything is done: it must find what apply would refuse.
#include "engine/plan.h"

#include <gtest/gtest.h>

#include "engine/engine.h"
#include "engine/known.h"

namespace showcaller {
namespace {

constexpr std::string_view kFleet = R"(
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: team-raids }
spec:
  builds: [ { version: 1, command: [raid] }, { version: 2, command: [raid] } ]
)";

constexpr std::string_view kTenLines = R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: new-build, owner: team-raids }
spec:
  changes:
    - build: { fleet: raid, version: 2 }
)";

class Plan : public testing::Test {
 protected:
  using Manifests = std::vector<std::shared_ptr<const Manifest>>;

  Manifests read(std::string_view text) {
    const std::vector<SourceFile> files = {{"a.yaml", std::string(text)}};
    ParseOptions options;
    options.known = known_manifests(std::make_shared<const World>(engine_.world()));
    ParseOutcome outcome = parse_manifests(files, options);
    EXPECT_TRUE(outcome.ok()) << format_findings(outcome.findings, files);
    Manifests out;
    for (Manifest& manifest : outcome.manifests)
      out.push_back(std::make_shared<const Manifest>(std::move(manifest)));
    return out;
  }

  void apply(std::string_view text) {
    std::vector<Record> records;
    const auto receipt =
        engine_.take(Command{ApplyCommand{read(text)}, ann_, {}, {}, {}}, now_, &records);
    ASSERT_TRUE(receipt) << receipt.error().message;
  }

  json::object plan(std::string_view text, const PlanFacts& facts = {}) {
    const Manifests manifests = read(text);
    return plan_of(engine_.world(), {manifests, ann_, facts}, now_);
  }

  std::string problems(std::string_view text) { return to_json_text(plan(text).at("problems")); }

  static const json::object& event_of(const json::object& plan) {
    return plan.at("manifests").as_array().back().at("event").as_object();
  }

  Actor ann_{"ann", {"admin"}};
  Instant now_ = parse_instant("2026-12-01T12:00:00Z").value();
  Engine engine_{World{}, 1};
};

TEST_F(Plan, TenLinesOnADefaultFleetHaveNoProblem) {
  EXPECT_EQ(problems(std::string(kFleet) + "---" + std::string(kTenLines)), "[]");
}

TEST_F(Plan, ARollbackMayTakeAsLongAsTheFleetNeeds) {
  const auto rollback = [&](std::string_view more) {
    return to_json_text(event_of(plan(std::string(kFleet) + "  session: { length_max: 3h }\n---" +
                                      std::string(kTenLines) + std::string(more)))
                            .at("rollback"));
  };
  EXPECT_EQ(rollback(""),
            R"({"worst":"3h10s","bound_by":"the longest match of fleet raid (3h) and 10s to stop",)"
            R"("within":"3h5m10s"})");
  apply(std::string(kFleet) + "  session: { length_max: 3h }\n");
  EXPECT_EQ(
      problems(std::string(kTenLines) + "  rollback: { within: 2h }\n"),
      R"(["a rollback may take 3h10s (the longest match of fleet raid (3h) and 10s to stop), )"
      R"(longer than rollback.within 2h"])");
}

TEST_F(Plan, FindsTheQuotaThatApplyWouldMeet) {
  apply(R"(
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house, owner: team-raids }
spec: { quotas: [ { name: one-at-a-time, events_active: 1 } ] }
)");
  apply(kFleet);
  apply(kTenLines);
  EXPECT_EQ(
      problems(R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: second, owner: team-raids }
spec: { changes: [ { config: { document: d, version: 1, value: 1 } } ] }
)"),
      R"(["1 events are active and quota 'one-at-a-time' of policy 'house' allows 1; retire or )"
      R"(cancel one before second goes on"])");
}

TEST_F(Plan, FindsWhatTheFleetHasNoRoomFor) {
  apply(std::string(kFleet) + "  capacity: { min: 3, max: 4, canary_min: 2 }\n");
  EXPECT_EQ(
      problems(kTenLines),
      R"(["Fleet 'raid' runs at most 4 instances a region, and 3 of the base with 2 of build )"
      R"(2 are more; raise `capacity.max`"])");
}

TEST_F(Plan, NamesWhoSharesALayerInTheSamePlan) {
  const json::object planned = plan(R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: lower, owner: team-raids }
spec: { changes: [ { config: { document: d, version: 1, value: 1 } } ] }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: upper, owner: team-raids }
spec: { after: [lower], changes: [ { config: { document: d, version: 2, value: 2 } } ] }
)");
  EXPECT_EQ(to_json_text(event_of(planned).at("layers")),
            R"([{"path":"config:d","shared_with":["lower"]}])");
  const json::object& lower = planned.at("manifests").as_array()[0].as_object();
  EXPECT_EQ(to_json_text(lower.at("event").as_object().at("layers")),
            R"([{"path":"config:d","shared_with":["upper"],"below":["upper"]}])");
}

TEST_F(Plan, SaysHowManyAreAtRiskAndWhatTheBakeShows) {
  apply(std::string(kFleet) + "  capacity: { max: 100, players_per_session: 4 }\n");
  PlanFacts facts;
  facts.sessions_per_s["raid"] = 10;
  const json::object planned = plan(kTenLines, facts);
  const json::object& stage = event_of(planned).at("stages").as_array()[1].as_object();
  EXPECT_EQ(get_int(stage, "sessions_at_risk_max"), 1800);  // 10 % of 10 a second for 30 minutes
  EXPECT_EQ(get_int(stage, "players_at_risk_max"), 7200);
  EXPECT_EQ(get_string(stage, "risk_lasts"), "1h30m");
}

TEST_F(Plan, AsksForApprovalByAnybodyButTheOneWhoAsks) {
  apply(R"(
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house, owner: team-raids }
spec: { approvals: [ { name: two-people } ] }
)");
  apply(kFleet);
  const std::string approvals = to_json_text(event_of(plan(kTenLines)).at("approvals"));
  EXPECT_NE(approvals.find("not by its author 'ann'"), std::string::npos) << approvals;
}

TEST_F(Plan, WhoMayNotApplyMayStillPlan) {
  apply(kFleet);
  ann_.roles = {"viewer"};
  const json::object planned = plan(kTenLines);
  EXPECT_TRUE(planned.at("problems").as_array().empty());
  EXPECT_EQ(planned.at("notes").as_array().size(), 1u);
}

TEST_F(Plan, TellsAnEventThatIsOverApart) {
  apply(kFleet);
  apply(kTenLines);
  std::vector<Record> records;
  ASSERT_TRUE(engine_.take(Command{EventCommand{"new-build", EventVerb::Cancel}, ann_, {}, {}, {}},
                           now_, &records));
  const json::object planned = plan(kTenLines);
  const json::object& line = planned.at("manifests").as_array()[0].as_object();
  EXPECT_EQ(get_string(line, "action"), "create");
  EXPECT_EQ(get_string(line, "server_hash"), get_string(line, "hash"));
}

TEST_F(Plan, WhatIsUnchangedDisturbsNothing) {
  apply(kFleet);
  apply(kTenLines);
  EXPECT_EQ(to_json_text(event_of(plan(kTenLines)).at("disturbs")), "[]");
}

TEST_F(Plan, TellsWhatBoundsARollback) {
  EXPECT_EQ(to_json_text(event_of(plan(std::string(kFleet) + "---" + std::string(kTenLines) +
                                       "    - action: { do: 'http://g/a', undo: 'http://g/b' }\n"))
                             .at("rollback")),
            R"({"worst":"1h40s","bound_by":"the longest match of fleet raid (1h) and 10s to stop, )"
            R"(and 30s for its actions","within":"1h5m40s"})");
}

TEST_F(Plan, FindsWhatARunningEventMayNotChange) {
  apply(R"(
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-raids }
spec: { variants: { open: true, shut: false } }
)");
  const std::string head = R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: opening, owner: team-raids }
spec: { changes: [ { flag: { key: door, to: )";
  apply(head + "open } } ] }\n");
  ASSERT_EQ(engine_.world().event("opening")->phase, Phase::RollingOut);
  EXPECT_NE(problems(head + "shut } } ] }\n").find("has players in it, so its changes can't be"),
            std::string::npos);
}

TEST_F(Plan, AVersionAloneIsEnoughOnceItsContentWasGiven) {
  const std::string head = R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: drops, owner: team-raids }
spec: { changes: [ { config: { document: drop-tables, version: 17)";
  apply(head + ", value: { frost_blade: 0.02 } } } ] }\n");
  EXPECT_EQ(
      get_string(plan(head + " } } ] }\n").at("manifests").as_array()[0].as_object(), "action"),
      "unchanged");
}

// What a stage's traffic and rates are is known: the gate itself is tried on stages in which
// nothing is wrong.
TEST_F(Plan, TellsHowOftenAGoodReleaseWouldBeRolledBack) {
  PlanFacts facts;
  facts.sessions_per_s["raid"] = 100;
  facts.baselines["session.crashed"] = {1'000'000, 0.01};
  const std::string text = std::string(kFleet) + "---" + R"(
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: new-build, owner: team-raids }
spec:
  changes: [ { build: { fleet: raid, version: 2 } } ]
  gates: [ { metric: session.crashed, worse_by_at_most: 10% } ]
  analysis: { noise_unit: player, profile: C }
  rollout: { stages: [ { name: canary, exposure: 5%, bake: 1h }, { name: world, exposure: 100% } ] }
)";
  const json::object planned = plan(text, facts);
  const json::array& stages = event_of(planned).at("stages").as_array();
  ASSERT_TRUE(stages[0].as_object().contains("false_rollback")) << to_json_text(planned);
  const json::object& told = stages[0].as_object().at("false_rollback").as_object();
  EXPECT_GE(get_int(told, "runs", 0), 100);
  EXPECT_LE(get_double(told, "percent"), 5);
  EXPECT_GT(get_double(told, "high"), get_double(told, "low"));
  EXPECT_FALSE(stages[1].as_object().contains("false_rollback"));  // nobody to compare with
  EXPECT_EQ(to_json_text(plan(text, facts)), to_json_text(planned));
}

}  // namespace
}  // namespace showcaller
