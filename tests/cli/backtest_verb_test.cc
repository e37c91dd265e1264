// SPDX-License-Identifier: Apache-2.0
// Recorded stages whose truth is known: what the gate makes of them, and the exit code of it.
#include "cli/rehearse/backtest_verb.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStage =
    R"("stage":{"planned_s":600,"tick_s":10,"share":0.5,"assignment":"player","warmup_s":20,)"
    R"("profile":"C","metrics":[{"name":"error","kind":"binary","worse_by_at_most":0}]})";

class Backtest : public testing::Test {
 protected:
  Backtest() : folder_(fs::path(testing::TempDir()) / "backtest-verb") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Backtest() override { fs::remove_all(folder_); }

  // A stage whose canary errs in `bad_of_100` of 100 sessions a tick from `since_s` on, else in 2.
  void record(const std::string& name, int bad_of_100, int since_s, const std::string& truth) {
    std::ofstream out(folder_ / name);
    out << "{\"version\":1," << kStage << truth << "}\n";
    for (int t = 10; t <= 600; t += 10) {
      const int errors = t > since_s ? bad_of_100 : 2;
      std::string groups;
      for (int g = 0; g < 4; ++g)
        groups += fmt::format(R"(,{{"arm":"baseline","id":"{}","m":{{"error":[25,{}]}}}})", g,
                              (g + t / 10) % 2);
      out << fmt::format(
                 R"({{"t":{},"units":{{"canary":100,"baseline":100}},"groups":[{{"arm":"canary","id":"1",)"
                 R"("m":{{"error":[100,{}]}}}}{}]}})",
                 t, errors, groups)
          << '\n';
    }
  }
  int run(const std::string& gate = "") {
    return backtest_verb({gate.empty() ? "" : folder_ / gate, {folder_}, OutputForm::Json});
  }

  fs::path folder_;
};

TEST_F(Backtest, WhatIsGoodPassesAndWhatIsBadIsFound) {
  record("good.jsonl", 2, 0, R"(,"truth":{"bad":false})");
  record("bad.jsonl", 20, 200, R"(,"truth":{"bad":true,"since_s":200})");
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(), 0);
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_NE(out.find("found after"), std::string::npos) << out;
  EXPECT_NE(out.find("\"false_aborts\""), std::string::npos);
}

// A gate that sees what is not there: the same recordings say so.
TEST_F(Backtest, AFalseAbortIsTold) {
  record("good.jsonl", 20, 0, R"(,"truth":{"bad":false})");
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(), 1);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("false abort"), std::string::npos);
}

TEST_F(Backtest, AMissIsTold) {
  record("bad.jsonl", 2, 0, R"(,"truth":{"bad":true})");
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(), 1);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("missed"), std::string::npos);
}

TEST_F(Backtest, WhatIsNoRecordingIsNamed) {
  record("good.jsonl", 2, 0, "");
  std::ofstream(folder_ / "torn.jsonl") << "{\"stage\":\n";
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(), 2);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("malformed"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
