// SPDX-License-Identifier: Apache-2.0
// What `drill run` says of the drills in tests/cli/drills, in full. SHOWCALLER_REWRITE=1 writes it
// into the files; the author must understand the difference.
#include "cli/drill_verb.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "model/manifest/drill_faults.h"
#include "sim/drill.h"
#include "sim/fault.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;
const fs::path kFolder = fs::path(SHOWCALLER_SOURCE_DIR) / "tests/cli/drills";

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Said {
  int code = 0;
  std::string out, err;
};

Said run(DrillRequest request) {
  request.at = "2026-06-01T12:00:00Z";
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Said said;
  said.code = drill_verb(request);
  said.out = testing::internal::GetCapturedStdout();
  said.err = testing::internal::GetCapturedStderr();
  return said;
}

class GoldenDrill : public testing::TestWithParam<std::string> {};

TEST_P(GoldenDrill, IsToldInFull) {
  DrillRequest request;
  request.paths = {kFolder / "game.yaml", kFolder / (GetParam() + ".yaml")};
  const Said said = run(request);
  EXPECT_EQ(said.err, "");
  // The last line has the hash of all records, which is the simulator's own business.
  const std::string told =
      said.out.substr(0, said.out.find("\nseed ") + 1) + fmt::format("exit code {}\n", said.code);
  const fs::path golden = kFolder / (GetParam() + ".txt");
  const std::string written = text_of(golden);
  if (std::getenv("SHOWCALLER_REWRITE")) std::ofstream(golden) << told;
  EXPECT_EQ(told, written);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenDrill, testing::Values("met", "unmet", "stopped"),
                         [](const auto& info) { return info.param; });

TEST(DrillVerb, ProgramsGetTheWholeReport) {
  DrillRequest request;
  request.paths = {kFolder / "game.yaml", kFolder / "met.yaml"};
  request.form = OutputForm::Json;
  const Said said = run(request);
  EXPECT_EQ(said.code, 0);
  const json::value report = parse_json(said.out).value();
  EXPECT_EQ(report.at("drill").as_string(), "crash-night");
  EXPECT_EQ(report.at("verdict").as_string(), "pass");
  const json::object& crashes = report.at("injects").at(1).as_object();
  EXPECT_GT(get_double(crashes, "detected_after_s"), 0);
  EXPECT_GT(get_double(crashes, "recovered_after_s"), get_double(crashes, "detected_after_s"));
  EXPECT_EQ(run(request).out, said.out) << "equal seeds give equal runs";
}

TEST(DrillVerb, WhatCannotBePlayedIsSaid) {
  DrillRequest request;
  request.paths = {kFolder / "game.yaml"};
  EXPECT_EQ(run(request).code, 2);
  EXPECT_NE(run(request).err.find("no Drill is in the files"), std::string::npos);
  request.paths.push_back(kFolder / "met.yaml");
  request.paths.push_back(kFolder / "unmet.yaml");
  EXPECT_NE(run(request).err.find("several Drills; say which with --drill: crash-night, kills"),
            std::string::npos)
      << run(request).err;
  request.drill = "nosuch";
  EXPECT_EQ(run(request).code, 2);
}

TEST(DrillVerb, AFaultOfTheNetworkIsForAServer) {
  DrillSpec drill;
  drill.injects.push_back({.name = "cut", .fault = {.kind = "net_cut"}});
  const auto faults = sim::faults_of(drill);
  ASSERT_FALSE(faults);
  EXPECT_NE(faults.error().message.find("inject cut: the simulator has no network"),
            std::string::npos)
      << faults.error().message;
}

// The manifest's list stands beside the simulator's table.
TEST(DrillVerb, AManifestMayNameEachFaultOfTheSimulatorAndNoOther) {
  std::size_t of_servers = 0;
  for (const std::string_view kind : manifest::kDrillFaults) {
    if (manifest::is_of_servers(kind))
      ++of_servers;
    else
      EXPECT_TRUE(sim::parse_fault(kind)) << kind;
  }
  EXPECT_EQ(manifest::kDrillFaults.size(), std::size_t(sim::kFaultKinds) + of_servers);
}

}  // namespace
}  // namespace showcaller
