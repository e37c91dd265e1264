// SPDX-License-Identifier: Apache-2.0
// The two levels of a rehearsal tell of the same game: who comes, who is on the canary, what the
// gates are shown and when they find what is wrong have one distribution.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <gtest/gtest.h>

#include "sim/run.h"
#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

int seeds() {
  return std::getenv("SHOWCALLER_NIGHTLY") ? 100 : 10;
}

// Values of one quantity, one a run.
struct Sampled {
  std::vector<double> values;
  double mean() const {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / double(values.size());
  }
  double error() const {  // of the mean
    double squares = 0;
    for (const double v : values) squares += (v - mean()) * (v - mean());
    const double n = double(values.size());
    return std::sqrt(squares / (n - 1) / n);
  }
};

struct Played {
  Sampled sessions_a_minute, canary_share, crashed, found_s;
  Sampled seen_share, error_rate, crash_rate, told_a_minute;
  int undone = 0;
};

Played played(RehearsalLevel level, const std::string& faults) {
  Played out;
  for (int seed = 1; seed <= seeds(); ++seed) {
    RunSpec spec = small_game(faults);
    spec.level = level;
    spec.seed = std::uint64_t(seed);
    const RunResult result = run(spec, true);
    EXPECT_TRUE(result.violations.empty()) << result.violations.front();
    out.undone += result.ending == Ending::RolledBack;
    if (result.stages.empty() || result.evidence.empty()) {
      ADD_FAILURE() << to_string(level) << " seed " << seed << ": " << result.why;
      continue;
    }
    const StageResult& canary = result.stages.front();
    const double minutes = double((canary.left - canary.entered).count()) / 60'000;
    const CrowdCounts& counts = canary.counts;
    out.sessions_a_minute.values.push_back(double(counts.sessions) / minutes);
    out.canary_share.values.push_back(double(counts.canary_sessions) / double(counts.sessions));
    out.crashed.values.push_back(double(counts.crashed) / double(counts.sessions));
    if (result.fired) out.found_s.values.push_back(double(result.fired->at.count()) / 1000);
    for (const char* metric : {"session.error", "session.crashed"}) {
      const auto last =
          std::find_if(result.evidence.rbegin(), result.evidence.rend(),
                       [&](const EvidencePoint& point) { return point.metric == metric; });
      if (last == result.evidence.rend()) continue;
      const bool errors = std::string_view(metric) == "session.error";
      const double rate =
          double(last->baseline_x) / double(std::max<std::int64_t>(1, last->baseline_n));
      (errors ? out.error_rate : out.crash_rate).values.push_back(rate);
      if (!errors) continue;
      const double all = double(last->canary_n + last->baseline_n);
      out.seen_share.values.push_back(double(last->canary_n) / all);
      out.told_a_minute.values.push_back(60 * all / (double(last->at.count()) / 1000));
    }
  }
  return out;
}

// Apart by no more than chance has it (five standard errors), and `slack` of the value.
void expect_alike(const Sampled& a, const Sampled& b, const char* what, double slack = 0) {
  ASSERT_GE(a.values.size(), 3u) << what;
  ASSERT_GE(b.values.size(), 3u) << what;
  const double apart = std::abs(a.mean() - b.mean());
  const double chance = std::hypot(a.error(), b.error());
  EXPECT_LE(apart, 5 * chance + slack * std::abs(a.mean()) + 1e-12)
      << what << ": " << a.mean() << " +- " << a.error() << " and " << b.mean() << " +- "
      << b.error();
}

void expect_alike(const Played& a, const Played& b) {
  expect_alike(a.sessions_a_minute, b.sessions_a_minute, "sessions a minute", 0.02);
  expect_alike(a.canary_share, b.canary_share, "share of the canary", 0.02);
  expect_alike(a.crashed, b.crashed, "share that crashed", 0.02);
  expect_alike(a.seen_share, b.seen_share, "share of the canary that gates see", 0.02);
  expect_alike(a.told_a_minute, b.told_a_minute, "sessions told of a minute", 0.05);
  expect_alike(a.error_rate, b.error_rate, "errors of the baseline", 0.02);
  expect_alike(a.crash_rate, b.crash_rate, "crashes of the baseline", 0.02);
}

TEST(RehearsalLevels, TellOfTheSameGameWhenAllIsWell) {
  expect_alike(played(RehearsalLevel::Session, ""), played(RehearsalLevel::Evidence, ""));
}

TEST(RehearsalLevels, FindWhatHarmsPlayersAlike) {
  const Played a = played(RehearsalLevel::Session, "errors:6");
  const Played b = played(RehearsalLevel::Evidence, "errors:6");
  expect_alike(a, b);
  expect_alike(a.found_s, b.found_s, "seconds until it is found", 0.05);
  EXPECT_LE(std::abs(a.undone - b.undone), std::max(2, seeds() / 10));
}

}  // namespace
}  // namespace showcaller::sim
