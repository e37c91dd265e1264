// SPDX-License-Identifier: Apache-2.0
// Each deliberate bug is found by what the simulator's tests play anyway: the directed scenarios
// and the random seeds. One that is not found asks for a better scenario or invariant, never for a
// clumsier bug.
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/deliberate_bug.h"
#include "tests/sim/random_run.h"
#include "tests/sim/scenarios.h"

namespace showcaller::sim {
namespace {

struct Row {
  DeliberateBug bug;
  std::string_view name;
  std::string_view by;  // the scenario that finds it soonest: it is tried first
};
using enum DeliberateBug;
constexpr std::array kBugs{
    Row{GateAlwaysPasses, "GateAlwaysPasses", "crashes:15"},
    Row{FailureIgnored, "FailureIgnored", "crashes:15"},
    Row{UndoSkipped, "UndoSkipped", "crashes:15"},
    Row{UndoInTheWrongOrder, "UndoInTheWrongOrder", "crashes:15"},
    Row{RetriedWithANewKey, "RetriedWithANewKey", "the answer to an undo is lost with the server"},
    Row{LostSync, "LostSync", "torn_write@1m"},
    Row{KeyForgotten, "KeyForgotten", "a command that comes twice"},
    Row{RebucketedOnRestart, "RebucketedOnRestart", "restart@1m"},
    Row{ShuffledWhenWider, "ShuffledWhenWider", "many come again in the next stage"},
    Row{DrawnEachSession, "DrawnEachSession", "the line is stopped for a while"},
    Row{DrainingTakesSessions, "DrainingTakesSessions",
        "the answer to an undo is lost with the server"},
    Row{QuarantineTakesSessions, "QuarantineTakesSessions", "hosts are quarantined"},
    Row{DivertIgnored, "DivertIgnored", "diverted for a while"},
    Row{IntakeLeftOpen, "IntakeLeftOpen", "crashes:15"},
    Row{EndsBeforeDrained, "EndsBeforeDrained", "crashes:15"},
    Row{ApprovalIgnored, "ApprovalIgnored", "no_approval"},
    Row{HoldIgnored, "HoldIgnored", "held, and promoted no more by itself"},
    Row{FreezeIgnored, "FreezeIgnored", "frozen, and on when the freeze is over"},
    Row{StoppedLineIgnored, "StoppedLineIgnored", "the line is stopped for a while"},
    Row{DowntimeBakes, "DowntimeBakes", "the server is away while a stage bakes"},
    Row{LedgerRowLost, "LedgerRowLost", "the line is stopped for a while"},
};
static_assert(kBugs.size() == std::size_t(LedgerRowLost));  // all of them

class Broken {
 public:
  explicit Broken(DeliberateBug bug) { deliberate_bug = bug; }
  ~Broken() { deliberate_bug = DeliberateBug::None; }
};

constexpr std::uint64_t kFirstSeed = 20, kSeeds = 8;  // as random_faults_test.cc

std::string found_by(const Scenario& scenario) {
  const std::vector<std::string> wrong = scenario.wrong_with(run(scenario.spec));
  return wrong.empty() ? "" : fmt::format("'{}': {}", scenario.name, wrong.front());
}

// The first scenario or seed that finds something wrong, and what; empty: none does.
std::string found(const Scenario& first) {
  if (std::string by = found_by(first); !by.empty()) return by;
  for (const Scenario& scenario : scenarios()) {
    if (std::string by = found_by(scenario); !by.empty()) return by;
  }
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kSeeds; ++seed) {
    const RunResult result = run(random_run(seed).spec);
    if (!result.violations.empty())
      return fmt::format("seed {}: {}", seed, result.violations.front());
  }
  return {};
}

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class DeliberateBugs : public testing::TestWithParam<Row> {};

TEST_P(DeliberateBugs, AreFound) {
  const Scenario* first = scenario_named(GetParam().by);
  ASSERT_NE(first, nullptr) << GetParam().by;
  const Broken broken(GetParam().bug);
  const std::string by = found(*first);
  EXPECT_FALSE(by.empty()) << "no scenario and no seed finds " << GetParam().name;
  fmt::print("{} is found by {}\n", GetParam().name, by);
}

INSTANTIATE_TEST_SUITE_P(Each, DeliberateBugs, testing::ValuesIn(kBugs),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(NoBug, IsFound) {
  std::set<std::string_view> played;
  for (const Row& row : kBugs) {
    if (!played.insert(row.by).second) continue;
    EXPECT_EQ(found_by(*scenario_named(row.by)), "");
  }
}

}  // namespace
}  // namespace showcaller::sim
