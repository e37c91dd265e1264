// SPDX-License-Identifier: Apache-2.0
// Which gates may act: policies that ask for proofs, what a proof is bound to, and who may give
// one.
#include "policy/gate_proofs.h"

#include <gtest/gtest.h>

#include "model/gate_hash.h"
#include "model/manifest/manifest.h"
#include "policy/access.h"
#include "tests/policy/policy_world.h"

namespace showcaller {
namespace {

class GateProofs : public testing::Test {
 protected:
  void policy(UnprovenGates unproven, bool audit_only = false) {
    PolicySpec spec;
    spec.unproven_gates = unproven;
    spec.audit_only = audit_only;
    add_policy(&world_, "house", spec);
  }
  EventState& event(std::vector<GateSpec> gates) {
    EventState& event = add_event(&world_, {});
    Manifest manifest = *event.manifest;
    std::get<LiveEventSpec>(manifest.spec).gates = std::move(gates);
    event.manifest = std::make_shared<const Manifest>(std::move(manifest));
    return event;
  }
  static GateSpec gate(GateAction action = GateAction::Rollback) {
    GateSpec gate;
    gate.name = gate.metric = "session.crashed";
    gate.worse_by_at_most_ratio = 0.1;
    gate.on_fail = action;
    return gate;
  }
  void prove(EventState& event, const GateSpec& gate) {
    event.proofs[gate_hash(gate)] = {gate.name, "ci", "found", ProofMethod::Backtest, 40, kNoon};
  }

  World world_;
};

TEST_F(GateProofs, EveryGateActsWhereNoPolicyAsks) {
  EXPECT_EQ(why_only_warns(world_, event({gate()}), gate()), "");
  policy(UnprovenGates::Act);
  EXPECT_EQ(why_only_warns(world_, event({gate()}), gate()), "");
  EXPECT_TRUE(gate_notes(world_, event({gate()})).empty());
}

TEST_F(GateProofs, AnUnprovenGateOnlyWarnsWhereOneDoes) {
  policy(UnprovenGates::Warn);
  EventState& raid = event({gate()});
  EXPECT_EQ(why_only_warns(world_, raid, gate()),
            "gate session.crashed only warns: no rehearsal and no backtest has proven it, as "
            "policy 'house' asks; `showcaller rehearse FILES --event winter-raid --record` proves "
            "it");
  EXPECT_EQ(gate_notes(world_, raid).size(), 1u);
  prove(raid, gate());
  EXPECT_EQ(why_only_warns(world_, raid, gate()), "");
  EXPECT_TRUE(gate_notes(world_, raid).empty());
}

TEST_F(GateProofs, AGateThatIsWrittenToWarnNeedsNone) {
  policy(UnprovenGates::Warn);
  EXPECT_EQ(why_only_warns(world_, event({gate(GateAction::Warn)}), gate(GateAction::Warn)), "");
}

TEST_F(GateProofs, InAuditModeEveryGateActsAndTheNoteSaysSo) {
  policy(UnprovenGates::Warn, true);
  EventState& raid = event({gate()});
  EXPECT_EQ(why_only_warns(world_, raid, gate()), "");
  ASSERT_EQ(gate_notes(world_, raid).size(), 1u);
  EXPECT_TRUE(gate_notes(world_, raid)[0].starts_with("audit mode, it acts: "));
}

// Another margin is another gate; the same one beside other gates is not.
TEST_F(GateProofs, AProofIsBoundToTheGateAlone) {
  policy(UnprovenGates::Warn);
  GateSpec looser = gate();
  looser.worse_by_at_most_ratio = 0.2;
  GateSpec other = gate();
  other.name = "other";
  EventState& raid = event({gate(), other});
  prove(raid, gate());
  EXPECT_EQ(why_only_warns(world_, raid, gate()), "");
  EXPECT_NE(why_only_warns(world_, raid, looser), "");
  EXPECT_NE(why_only_warns(world_, raid, other), "");
}

// On disk: proofs of years ago are found by it.
TEST_F(GateProofs, TheHashOfAGateNeverChanges) {
  EXPECT_EQ(gate_hash(gate()),
            to_hex(sha256(R"({"metric":"session.crashed","name":"session.crashed",)"
                          R"("on_fail":"rollback","worse_by_at_most_ratio":0.1})")));
}

TEST_F(GateProofs, OnlyAGateThatTheEventHasIsProven) {
  EventState& raid = event({gate()});
  EXPECT_TRUE(may_be_proven(raid, "session.crashed", gate_hash(gate())));
  EXPECT_EQ(may_be_proven(raid, "session.crashed", "00").error().code, ErrorCode::Conflict);
  const Status unknown = may_be_proven(raid, "sesion.crashed", "00");
  EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
  EXPECT_NE(unknown.error().message.find("did you mean 'session.crashed'"), std::string::npos);
  // One that a revision which waits for its approval brings.
  Manifest next = *raid.manifest;
  GateSpec looser = gate();
  looser.worse_by_at_most_ratio = 0.2;
  std::get<LiveEventSpec>(next.spec).gates = {looser};
  raid.proposed = ProposedRevision{std::make_shared<const Manifest>(next), 2, "ann", "", 9};
  EXPECT_TRUE(may_be_proven(raid, "session.crashed", gate_hash(looser)));
}

// A verb that no role can name could be given to nobody: `drill` was one.
TEST_F(GateProofs, ARoleCanNameEveryVerb) {
  for (const std::string_view verb : kVerbs) {
    const SourceFile file{
        "p.yaml",
        "apiVersion: showcaller.dev/v1\nkind: Policy\nmetadata: { name: p, owner: o }\n"
        "spec: { roles: [ { name: r, verbs: [ " +
            std::string(verb) + " ] } ] }\n"};
    const ParseOutcome outcome = parse_manifests(std::span(&file, 1), {});
    EXPECT_EQ(outcome.manifests.size(), 1u) << verb;
  }
}

}  // namespace
}  // namespace showcaller
