// SPDX-License-Identifier: Apache-2.0
// Programs as steps: how they end, what they print, and what they may not do.
#include "adapters/probe_script/probe_script.h"

#include <chrono>
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/json.h"

namespace showcaller {
namespace {

ProbeAnswer run(std::vector<std::string> command, Duration timeout = seconds(20),
                std::map<std::string, std::string> env = {}) {
  ProbeStep step;
  step.what = ScriptProbeStep{std::move(command), std::move(env)};
  return ProbeScript().exchange(step, {"00-aa-bb-01", {}}, timeout);
}
ProbeAnswer shell(const std::string& text, Duration timeout = seconds(20)) {
  return run({"/bin/sh", "-c", text}, timeout);
}

TEST(ProbeScript, ItsExitCodeAndWhatItPrints) {
  const ProbeAnswer good = shell("echo '{\"completed\": 1}'; exit 0");
  EXPECT_EQ(good.error, "");
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.body, "{\"completed\": 1}\n");
  const ProbeAnswer bad = shell("echo lost >&2; exit 3");
  EXPECT_EQ(bad.status, 3);
  EXPECT_EQ(bad.body, "lost\n");
}

TEST(ProbeScript, HasACleanEnvironment) {
  ::setenv("SHOWCALLER_TOKEN", "secret", 1);
  const ProbeAnswer answer = run({"env"}, seconds(20), {{"GAME", "raid"}});
  ::unsetenv("SHOWCALLER_TOKEN");
  EXPECT_EQ(answer.body,
            "GAME=raid\nLANG=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\n"
            "TRACEPARENT=00-aa-bb-01\n");
}

TEST(ProbeScript, GainsNoPrivilegesAndHasLimits) {
  EXPECT_EQ(shell("grep NoNewPrivs /proc/self/status").body, "NoNewPrivs:\t1\n");
  EXPECT_EQ(shell("ulimit -n; pwd").body, "256\n/\n");
  EXPECT_EQ(shell("ls /proc/self/fd | wc -l").body, "4\n") << "0, 1, 2, and that of ls itself";
}

TEST(ProbeScript, IsEndedInTimeWithAllThatItStarted) {
  const auto began = std::chrono::steady_clock::now();
  const ProbeAnswer answer = shell("sleep 600 & sleep 600", Duration(100));
  EXPECT_EQ(answer.error, "it did not end within 100ms");
  // One that goes on in the background, and holds the output open, holds nobody up.
  EXPECT_EQ(shell("sleep 600 & exit 0").status, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
}

TEST(ProbeScript, WhatItPrintsIsBounded) {
  const ProbeAnswer answer = shell("head -c 10000000 /dev/zero | tr '\\0' x");
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.body.size(), 64u << 10);
}

TEST(ProbeScript, SaysWhyItCouldNotBeRun) {
  EXPECT_EQ(run({"/no/such/program"}).error, "'/no/such/program' cannot be run");
  EXPECT_EQ(shell("kill -SEGV $$").error, "it was ended by signal 11");
}

}  // namespace
}  // namespace showcaller
