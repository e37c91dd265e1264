// SPDX-License-Identifier: Apache-2.0
// What the kernel is told of faults of the network, by a tc that writes it down; and that all of it
// is taken back, whoever dies.
#include "adapters/process/network_faults.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace showcaller {
namespace {

namespace fs = std::filesystem;

class NetworkFaultsTest : public ::testing::Test {
 protected:
  NetworkFaultsTest()
      : folder_(fs::path(::testing::TempDir()) / ("tc-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
    write("tc",
          "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$*\" >> log\n"
          "case $1 in\n-j) cat shown ;;\n-batch) cat >> log; "
          "if [ -s fails ]; then cat fails >&2; exit 1; fi ;;\nesac\nexit 0\n");
    fs::permissions(folder_ / "tc", fs::perms::owner_all);
    write("shown", "[]");
  }
  ~NetworkFaultsTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
  }
  std::string log() const {
    std::stringstream out;
    out << std::ifstream(folder_ / "log").rdbuf();
    return out.str();
  }
  std::string tc() const { return folder_ / "tc"; }

  fs::path folder_;
};

constexpr std::string_view kTakenBack = "qdisc del dev lo root\n";

TEST_F(NetworkFaultsTest, ThePortsOfAnInstanceAloneMeetIt) {
  NetworkFaults network("127.0.0.1", tc());
  const int ports[] = {7001, 7002};
  ASSERT_TRUE(network.set("raid-1", ports, {Duration(150), 0.05}));
  EXPECT_EQ(
      log(),
      "-j qdisc show dev lo\n"
      "-batch -\n"
      "qdisc add dev lo root handle 5ca1: htb\n"
      "class add dev lo parent 5ca1: classid 5ca1:1 htb rate 10gbit quantum 60000\n"
      "qdisc add dev lo parent 5ca1:1 netem limit 100000 delay 150ms loss 5%\n"
      "filter add dev lo parent 5ca1: protocol ip prio 1 u32 match ip dport 7001 0xffff flowid "
      "5ca1:1\n"
      "filter add dev lo parent 5ca1: protocol ip prio 1 u32 match ip sport 7001 0xffff flowid "
      "5ca1:1\n"
      "filter add dev lo parent 5ca1: protocol ip prio 1 u32 match ip dport 7002 0xffff flowid "
      "5ca1:1\n"
      "filter add dev lo parent 5ca1: protocol ip prio 1 u32 match ip sport 7002 0xffff flowid "
      "5ca1:1\n");
}

TEST_F(NetworkFaultsTest, IsTakenBackWithTheLastOfThem) {
  NetworkFaults network("127.0.0.1", tc());
  const int one[] = {7001}, other[] = {7002};
  ASSERT_TRUE(network.set("raid-1", one, {{}, 1}));
  ASSERT_TRUE(network.set("raid-2", other, {{}, 1}));
  ASSERT_TRUE(network.set("raid-1", one, {}));
  EXPECT_FALSE(log().ends_with(kTakenBack)) << log();
  ASSERT_TRUE(network.set("raid-2", other, {}));
  EXPECT_TRUE(log().ends_with(kTakenBack)) << log();
  const std::string all = log();
  ASSERT_TRUE(network.set("raid-2", other, {}));
  EXPECT_EQ(log(), all) << "nothing was disturbed any more";
}

TEST_F(NetworkFaultsTest, IsTakenBackWhenTheProcessIsKilled) {
  const pid_t child = ::fork();
  if (child == 0) {
    NetworkFaults network("127.0.0.1", tc());
    const int ports[] = {7001};
    if (network.set("raid-1", ports, {{}, 1})) ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!log().ends_with(kTakenBack)) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << log();
    std::this_thread::yield();
  }
}

TEST_F(NetworkFaultsTest, WhatAKilledKeeperLeftGoesAndWhatIsAnothersStays) {
  NetworkFaults network("127.0.0.1", tc());
  write("shown", R"([{"kind":"htb","handle":"5ca1:","root":true}])");
  EXPECT_TRUE(network.may());
  EXPECT_TRUE(log().starts_with("-j qdisc show dev lo\nqdisc del dev lo root\n")) << log();
  write("shown", R"([{"kind":"fq","handle":"8001:","root":true}])");
  const Status may = network.may();
  ASSERT_FALSE(may);
  EXPECT_NE(may.error().message.find("somebody else (fq 8001:)"), std::string::npos)
      << may.error().message;
  EXPECT_TRUE(log().ends_with("-j qdisc show dev lo\n"));
}

TEST_F(NetworkFaultsTest, SaysWhatIsMissing) {
  NetworkFaults network("127.0.0.1", tc());
  EXPECT_TRUE(network.may());
  write("fails",
        "Warning: sch_htb: quantum is big.\nError: Specified qdisc kind is unknown.\n"
        "Command failed -:3\n");
  const Status may = network.may();
  ASSERT_FALSE(may);
  EXPECT_NE(
      may.error().message.find("(Error: Specified qdisc kind is unknown.); it takes the capability "
                               "CAP_NET_ADMIN and a kernel with netem and htb"),
      std::string::npos)
      << may.error().message;
  const int ports[] = {7001};
  EXPECT_FALSE(network.set("raid-1", ports, {{}, 1}));
  EXPECT_TRUE(log().ends_with(kTakenBack)) << log();
  NetworkFaults none("127.0.0.1", folder_ / "nothing-here");
  EXPECT_NE(none.may().error().message.find("install iproute2"), std::string::npos);
  NetworkFaults nowhere("203.0.113.7", tc());
  EXPECT_NE(nowhere.may().error().message.find("no network device"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
