// SPDX-License-Identifier: Apache-2.0
// Random combinations of faults and operators' commands at random times: whatever happens, what
// must always hold does, and every rollback comes home unless its undo was told to fail.
// SHOWCALLER_SIM_MINUTES goes on with fresh seeds for so long, SHOWCALLER_SIM_MEETINGS until each
// command has met each fault in each phase so often (within the minutes, else three hours); runs
// are steered to what was met least. SHOWCALLER_SIM_SEED repeats one, SHOWCALLER_SIM_MEETING one
// that was steered.
#include <chrono>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/sim/coverage.h"

namespace showcaller::sim {
namespace {

constexpr std::uint64_t kFixedSeeds = 8;
constexpr int kFixedRounds = 8;  // then each fault must have been there in each phase

// What is wrong with a run, a sentence each.
std::vector<std::string> wrong_with(const RandomRun& random, const RunResult& result) {
  std::vector<std::string> out = result.violations;
  if (result.ending == Ending::Stuck && random.faults.find("undo_fails") == std::string::npos)
    out.push_back("its rollback did not come home: " + result.why);
  // The same again gives the same: one run in twenty is held against that.
  if (random.spec.seed % 20 == 0 && run(random.spec).hash != result.hash)
    out.emplace_back("played again, it is another run");
  return out;
}

struct Turn {
  std::uint64_t seed = 0;
  std::optional<Meeting> meeting;  // to be steered to
};

std::string how_to_repeat(const Turn& turn) {
  return fmt::format(
      "{}SHOWCALLER_SIM_SEED={} build/release/test_sim --gtest_filter=RandomFaults.*",
      turn.meeting ? fmt::format("SHOWCALLER_SIM_MEETING={} ", to_text(*turn.meeting)) : "",
      turn.seed);
}

// Plays turns on all cores.
class Campaign {
 public:
  // `next`: of what was met so far, the turn that follows; absent: it is enough.
  template <class Next>
  void play(Next next) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
      threads.emplace_back([&] {
        while (const std::optional<Turn> turn = after(next)) play_turn(*turn);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& failure : failures_) ADD_FAILURE() << failure;
  }

  const Coverage& coverage() const { return coverage_; }
  std::string summary() const { return fmt::format("{} runs; {}\n", runs_, coverage_.summary()); }

 private:
  std::optional<Turn> after(const auto& next) {
    const std::lock_guard lock(mutex_);
    return failures_.empty() ? next(coverage_) : std::nullopt;
  }

  void play_turn(const Turn& turn) {
    const RandomRun random =
        turn.meeting ? run_to_meet(*turn.meeting, turn.seed) : random_run(turn.seed);
    const RunResult result = run(random.spec);
    const std::vector<std::string> wrong = wrong_with(random, result);
    const std::lock_guard lock(mutex_);
    ++runs_;
    coverage_.add(meetings_of(random, result));
    for (const std::string& what : wrong)
      failures_.push_back(fmt::format("{}\n{}: {}", how_to_repeat(turn), random.faults, what));
  }

  std::mutex mutex_;
  Coverage coverage_;
  std::int64_t runs_ = 0;
  std::vector<std::string> failures_;
};

using Next = std::function<std::optional<Turn>(const Coverage&)>;

Next in_order(std::vector<Turn> turns) {
  return [turns = std::move(turns), at = std::size_t(0)](const Coverage&) mutable {
    return at < turns.size() ? std::optional(turns[at++]) : std::nullopt;
  };
}

// What CI plays: some seeds at random, and each fault steered to each phase.
void play_fixed(Campaign* campaign) {
  std::vector<Turn> turns;
  for (std::uint64_t seed = 20; seed < 20 + kFixedSeeds; ++seed) turns.push_back({seed, {}});
  for (int round = 0; round < kFixedRounds; ++round) {
    for (Meeting meeting : campaign->coverage().never_together()) {
      // Seeds of its own: the same again would meet no more.
      const std::uint64_t seed = std::uint64_t(round) * 1'000 + turns.size() + 1;
      meeting.verb = OperatorVerb(seed % kOperatorVerbs);
      turns.push_back({seed, meeting});
    }
    campaign->play(in_order(std::exchange(turns, {})));
  }
  for (const Meeting& meeting : campaign->coverage().never_together())
    ADD_FAILURE() << "never met: " << to_text(meeting);
}

// Fresh seeds until it is enough; `steered`: one turn in so many, to what was met least.
Next fresh(std::uint64_t steered, std::function<bool(const Coverage&)> enough) {
  Random random(std::random_device{}());
  return [=, seed = std::uint64_t(std::random_device{}())](
             const Coverage& coverage) mutable -> std::optional<Turn> {
    if (enough(coverage)) return std::nullopt;
    Turn turn{++seed, {}};
    if (seed % steered == 0) turn.meeting = coverage.least(&random);
    return turn;
  };
}

const char* setting(const char* name) {
  return std::getenv(name);
}

// The turn that was asked for.
std::optional<Turn> repeated() {
  const char* seed = setting("SHOWCALLER_SIM_SEED");
  if (seed == nullptr) return std::nullopt;
  const char* meeting = setting("SHOWCALLER_SIM_MEETING");
  return Turn{std::stoull(seed), meeting ? parse_meeting(meeting) : std::nullopt};
}

TEST(RandomFaults, KeepWhatMustAlwaysHold) {
  using std::chrono::steady_clock;
  const auto begin = steady_clock::now();
  const char* meetings = setting("SHOWCALLER_SIM_MEETINGS");
  const char* minutes_text = setting("SHOWCALLER_SIM_MINUTES");
  const auto end = begin + std::chrono::milliseconds(std::int64_t(
                               std::stod(minutes_text ? minutes_text : "180") * 60'000));
  const auto is_late = [end] { return steady_clock::now() >= end; };
  // How often each fault, each phase and each command must have met.
  const std::int64_t wanted = meetings ? std::stoll(meetings) : 0;
  Campaign campaign;
  if (const auto turn = repeated()) {
    campaign.play(in_order({*turn}));
  } else if (meetings) {
    campaign.play(fresh(1, [=](const Coverage& coverage) {
      return coverage.least_times() >= wanted || is_late();
    }));
  } else if (minutes_text) {
    campaign.play(fresh(2, [=](const Coverage&) { return is_late(); }));
  } else {
    play_fixed(&campaign);
  }
  for (const std::string& rare : campaign.coverage().below(wanted))
    ADD_FAILURE() << "met too rarely: " << rare;
  const std::chrono::duration<double, std::ratio<60>> took = steady_clock::now() - begin;
  fmt::print("{:.1f} minutes, {}", took.count(), campaign.summary());
}

}  // namespace
}  // namespace showcaller::sim
