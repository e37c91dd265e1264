// SPDX-License-Identifier: Apache-2.0
#include "adapters/tzdata/tzdata_version.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

TEST(TzdataVersion, IsReadFromTheFirstLine) {
  const std::string folder = testing::TempDir() + "tzdata_version_test";
  std::filesystem::create_directories(folder);
  EXPECT_EQ(read_tzdata_version(folder + "/none"), "unknown");
  std::ofstream(folder + "/tzdata.zi") << "# version 2026f\nR A 1916 o\n";
  EXPECT_EQ(read_tzdata_version(folder), "2026f");
  std::ofstream(folder + "/tzdata.zi") << "R A 1916 o\n";
  EXPECT_EQ(read_tzdata_version(folder), "unknown");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace showcaller
