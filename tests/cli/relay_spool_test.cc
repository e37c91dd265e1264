// SPDX-License-Identifier: Apache-2.0
// What waits at a relay outlasts it.
#include "cli/relay/relay_spool.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace showcaller {
namespace {

class RelaySpoolTest : public testing::Test {
 protected:
  ~RelaySpoolTest() override { std::filesystem::remove(file); }

  std::unique_ptr<RelaySpool> open(std::size_t bytes_max = 1 << 20, std::size_t items_max = 100) {
    auto spool = std::make_unique<RelaySpool>(bytes_max, items_max);
    EXPECT_TRUE(spool->keep_in(file));
    return spool;
  }
  static std::string texts(const RelaySpool& spool) {
    std::string out;
    for (const RelaySpool::Item& item : spool.front(1'000)) out += item.text + " ";
    return out;
  }

  const std::string file =
      testing::TempDir() + "showcaller_spool_" + std::to_string(::getpid()) + ".waiting";
};

TEST_F(RelaySpoolTest, WhatWaitsIsThereAfterAnyEnd) {
  auto spool = open();
  for (const char* each : {"a", "b", "c", "d"}) spool->push(each);
  spool->done(spool->front(2).back().number);
  // As after SIGKILL: nobody closes it.
  auto next = open();
  EXPECT_EQ(texts(*next), "c d ");
  next->push("e");
  next->done(next->front(1)[0].number);
  EXPECT_EQ(texts(*open()), "d e ");
}

TEST_F(RelaySpoolTest, TheOldestMakesRoomOnTheDiskToo) {
  {
    auto spool = open(1 << 20, 3);
    for (const char* each : {"a", "b", "c", "d", "e"}) spool->push(each);
    EXPECT_EQ(spool->dropped(), 2u);
  }
  EXPECT_EQ(texts(*open()), "c d e ");
  auto less = open(1 << 20, 2);
  EXPECT_EQ(texts(*less), "d e ");
  EXPECT_EQ(less->dropped(), 1u);
}

TEST_F(RelaySpoolTest, AHalfWrittenLineIsNoItem) {
  open()->push("a");
  std::ofstream(file, std::ios::app) << "+half of";
  auto spool = open();
  EXPECT_EQ(texts(*spool), "a ");
  spool->push("b");
  EXPECT_EQ(texts(*open()), "a b ");
}

TEST_F(RelaySpoolTest, TheFileDoesNotGrowForEver) {
  auto spool = open();
  for (int i = 0; i < 100; ++i) {
    spool->push(std::string(100'000, 'x'));
    spool->done(spool->front(1)[0].number);
    EXPECT_LT(std::filesystem::file_size(file), 1'400'000u);
  }
  EXPECT_EQ(texts(*open()), "");
}

TEST_F(RelaySpoolTest, WhatCannotBeWrittenIsSaidAndWaitsInMemory) {
  RelaySpool spool(1 << 20, 100);
  EXPECT_FALSE(spool.keep_in("/proc/no such folder/x"));
  EXPECT_FALSE(spool.trouble());
  spool.push("a");
  EXPECT_EQ(texts(spool), "a ");
}

}  // namespace
}  // namespace showcaller
