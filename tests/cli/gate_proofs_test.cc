// SPDX-License-Identifier: Apache-2.0
// Which gates a rehearsal and a backtest prove, and what is said of the others.
#include "cli/rehearse/gate_proofs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "model/gate_hash.h"

namespace showcaller {
namespace {

LiveEventSpec spec_with_gates() {
  LiveEventSpec spec;
  GateSpec crashes;
  crashes.name = crashes.metric = "session.crashed";
  crashes.worse_by_at_most_ratio = 0.1;
  GateSpec errors = crashes;
  errors.name = errors.metric = "session.error";
  spec.gates = {crashes, errors};
  return spec;
}

json::object report(std::string_view verdict, int clean) {
  return parse_json(
             fmt::format(R"({{"verdict":"{}","runs":60,"seed":7,"clean":{{"runs":{}}},"faults":[)"
                         R"({{"runs":8,"caught_by":{{"session.crashed":6}}}},)"
                         R"({{"runs":4,"caught_by":{{"session.crashed":4}}}},)"
                         R"({{"runs":1,"caught_by":{{}}}}]}})",
                         verdict, clean))
      .value()
      .as_object();
}

TEST(GateProofs, ARehearsalProvesTheGatesThatFoundSomething) {
  const LiveEventSpec spec = spec_with_gates();
  const GateProofs proofs = proven_by_rehearsal("gala", spec, report("pass", 20));
  ASSERT_EQ(proofs.proven.size(), 1u);
  const ProveGateCommand& proof = proofs.proven[0];
  EXPECT_EQ(proof.gate, "session.crashed");
  EXPECT_EQ(proof.hash, gate_hash(spec.gates[0]));
  EXPECT_EQ(proof.runs, 60);
  EXPECT_EQ(proof.verdict,
            "the first to fail in 10 of 12 runs of what it found; 20 clean runs went live; seed 7");
  ASSERT_EQ(proofs.not_proven.size(), 1u);
  EXPECT_NE(proofs.not_proven[0].find("session.error of gala was the first to fail in no run"),
            std::string::npos);
}

TEST(GateProofs, ARehearsalThatDidNotPassOrWasShortProvesNone) {
  for (const auto& [verdict, clean] :
       {std::pair("thin", 20), std::pair("fail", 20), std::pair("pass", 19)}) {
    const GateProofs proofs =
        proven_by_rehearsal("gala", spec_with_gates(), report(verdict, clean));
    EXPECT_TRUE(proofs.proven.empty()) << verdict << clean;
    EXPECT_EQ(proofs.not_proven.size(), 1u) << verdict << clean;
  }
}

BacktestedStage stage(bool bad, std::string_view verdict, double margin = 0.1) {
  const auto text = [](const std::string& json) { return parse_json(json).value().as_object(); };
  return {text(fmt::format(R"({{"metrics":[{{"name":"session.crashed","worse_by_at_most":{}}}]}})",
                           margin)),
          text(fmt::format(R"({{"session.crashed":{{"verdict":"{}"}}}})", verdict)), bad};
}

TEST(GateProofs, ABacktestProvesTheGateThatFoundWhatWasBad) {
  std::vector<BacktestedStage> stages(20, stage(false, "pass"));
  EXPECT_TRUE(proven_by_backtest("gala", spec_with_gates(), stages).proven.empty());
  stages.push_back(stage(true, "thin"));  // Another gate saw it.
  EXPECT_TRUE(proven_by_backtest("gala", spec_with_gates(), stages).proven.empty());
  stages.push_back(stage(true, "fail", 0.2));  // Under another margin.
  EXPECT_TRUE(proven_by_backtest("gala", spec_with_gates(), stages).proven.empty());
  stages.push_back(stage(true, "fail"));
  const GateProofs proofs = proven_by_backtest("gala", spec_with_gates(), stages);
  ASSERT_EQ(proofs.proven.size(), 1u);
  EXPECT_EQ(proofs.proven[0].gate, "session.crashed");
  EXPECT_EQ(proofs.proven[0].method, ProofMethod::Backtest);
  EXPECT_EQ(proofs.proven[0].verdict, "found 1 of 2 bad recordings, undid none of 20 good ones");
  EXPECT_EQ(proofs.not_proven.size(), 1u);  // The other gate was judged nowhere.
  stages.front().wrong = true;
  EXPECT_TRUE(proven_by_backtest("gala", spec_with_gates(), stages).proven.empty());
}

}  // namespace
}  // namespace showcaller
