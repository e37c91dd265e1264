// SPDX-License-Identifier: Apache-2.0
// Bad manifests and the whole text that is told about them. SHOWCALLER_REWRITE=1 writes the texts
// anew: read the difference before keeping it.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "model/manifest/manifest.h"
#include "tests/model/manifest/example_set.h"

namespace showcaller {
namespace {

const std::filesystem::path kFolder = SHOWCALLER_SOURCE_DIR "/tests/model/manifest/golden";

class GoldenFindings : public testing::TestWithParam<std::string> {};

TEST_P(GoldenFindings, AreToldInFull) {
  const ExampleSet server;
  const std::vector<SourceFile> files = {
      {GetParam() + ".yaml", read_file(kFolder / (GetParam() + ".yaml"))}};
  const ParseOutcome outcome = parse_manifests(files, server.options());
  const std::string told = format_findings(outcome.findings, files);
  ASSERT_FALSE(outcome.findings.empty());
  for (const Finding& finding : outcome.findings) {
    const auto lines = std::ranges::count(files[0].text, '\n') + 1;
    EXPECT_GE(finding.line, 1) << finding.message;
    EXPECT_LE(finding.line, lines) << finding.message;
    EXPECT_GE(finding.column, 1) << finding.message;
  }
  const auto golden = kFolder / (GetParam() + ".txt");
  if (std::getenv("SHOWCALLER_REWRITE") != nullptr) write_file(golden, told);
  EXPECT_EQ(told, read_file(golden));
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenFindings, testing::ValuesIn(golden_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace showcaller
