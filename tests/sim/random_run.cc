// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/random_run.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

// Operators may stop all for good: then there is nothing to wait for.
constexpr Duration kHorizon = minutes(75), kSteeredHorizon = minutes(40);
constexpr std::uint64_t kCommandsMost = 8;
constexpr Duration kAfterFault = seconds(4);

using enum OperatorVerb;

std::string random_faults(Random* random) {
  std::vector<std::string> out;
  for (std::uint64_t left = random->below(4); left > 0; --left) {
    const auto kind = FaultKind(random->below(kFaultKinds));
    std::string fault(to_string(kind));
    fault += fmt::format("@{}s", random->below(600));
    if (random->chance(0.5)) fault += fmt::format("+{}s", 10 + random->below(600));
    if (kind == FaultKind::RegionLoss) fault += random->chance(0.5) ? "/eu" : "/na";
    out.push_back(std::move(fault));
  }
  return fmt::format("{}", fmt::join(out, ","));
}

// What is written of a run as it is put together.
class Script {
 public:
  Script(std::uint64_t seed, Random* random) : random_(random) { run_.spec.seed = seed; }

  void say(OperatorVerb verb, Phase phase, Duration after, std::int64_t revision = 1) {
    run_.verbs.push_back(verb);
    commands_.push_back(scheduled(verb, phase, after, random_));
    commands_.back().revision = revision;
  }

  std::uint64_t seed() const { return run_.spec.seed; }

  RandomRun done(std::string faults) && {
    const std::uint64_t seed = run_.spec.seed;
    run_.spec = small_game(faults);
    run_.spec.seed = seed;
    run_.spec.horizon = kHorizon;
    run_.spec.commands = std::move(commands_);
    run_.faults = std::move(faults);
    return std::move(run_);
  }

 private:
  Random* random_;
  RandomRun run_;
  std::vector<ScheduledCommand> commands_;
};

bool is_before_players(Phase phase) {
  return phase < Phase::RollingOut || phase == Phase::Cancelled;
}

// Who is blind, gets no addresses or cannot reach the hosts sees nothing drained and nothing ready;
// and what cannot be undone has no second life.
bool keeps_from(FaultKind fault, Phase phase) {
  if (fault == FaultKind::UndoFails)
    return phase != Phase::RollingBack && phase != Phase::RollbackStuck;
  return fault == FaultKind::Blind || fault == FaultKind::Addresses ||
         fault == FaultKind::Partition || fault == FaultKind::RegionLoss;
}

// A run whose event comes to a phase quickly, in its first life or in a second one.
class Steered {
 public:
  // `begins`: when the fault that is wanted does, by the clock that it goes by; absent: at once.
  // A fault that would keep the event from the phase is left out until that is known.
  Steered(const Meeting& meeting, std::uint64_t seed, std::optional<Duration> begins)
      : meeting_(meeting), begins_(begins), random_(seed), script_(seed, &random_) {
    second_life_ = is_before_players(meeting.phase) && !is_of_preparation(meeting.fault);
    revision_ = second_life_ ? 2 : 1;
  }

  RandomRun write() && {
    const bool stays = meeting_.phase == Phase::Validated && !second_life_;
    script_.say(Approve, Phase::Validated, seconds(stays ? 30 : 8));
    if (second_life_) {
      script_.say(Rollback, Phase::RollingOut, seconds(8));
      script_.say(Revise, Phase::RolledBack, {});
      script_.say(Approve, Phase::Validated, seconds(30), 2);
    }
    come_to_the_phase();
    say_in_the_phase();
    RandomRun run = std::move(script_).done(faults());
    run.spec.level = RehearsalLevel::Evidence;
    run.spec.horizon = kSteeredHorizon;
    return run;
  }

  // When the event came to the phase in a run of what was written, by the fault's clock.
  std::optional<Duration> comes_at() const {
    RandomRun written = Steered(meeting_, script_.seed(), begins_).write();
    for (const SentCommand& sent : run(written.spec).sent) {
      if (sent.phase == meeting_.phase && written.spec.commands[sent.index].revision == revision_)
        return (is_of_preparation(meeting_.fault) ? sent.since_applied : sent.since_admitted)
            .value_or(Duration{});
    }
    return std::nullopt;
  }

 private:
  void come_to_the_phase() {
    switch (meeting_.phase) {
      case Phase::Approved:
        return script_.say(Hold, Phase::Validated, {}, revision_);
      case Phase::Ready:
        return script_.say(Hold, Phase::Ready, {}, revision_);
      case Phase::Live:
        for (int stage = 0; stage < 3; ++stage) script_.say(Promote, Phase::RollingOut, seconds(8));
        return;
      case Phase::RollingBack:
      case Phase::RollbackStuck:
      case Phase::RolledBack:
        return script_.say(Rollback, Phase::RollingOut,
                           seconds(std::int64_t(8 + random_.below(60))));
      case Phase::Cancelled:
        return script_.say(Cancel, Phase::Validated, seconds(4), revision_);
      default:
        return;
    }
  }

  // Every verb once, those that end the phase last.
  void say_in_the_phase() {
    std::vector<OperatorVerb> verbs;
    for (int verb = 0; verb < kOperatorVerbs; ++verb) verbs.push_back(OperatorVerb(verb));
    for (std::size_t i = verbs.size(); i > 1; --i) std::swap(verbs[i - 1], verbs[random_.below(i)]);
    const auto ends = [this](OperatorVerb verb) {
      return verb == Promote || verb == StepBack || verb == Rollback || verb == Cancel ||
             verb == Revise || verb == Resume ||
             (verb == Approve && meeting_.phase == Phase::Validated);
    };
    std::stable_partition(verbs.begin(), verbs.end(),
                          [&](OperatorVerb verb) { return !ends(verb); });
    // What is wanted comes early, for what comes before it may end the phase; if it does so itself,
    // now and then only after all that do not.
    const auto wanted = std::find(verbs.begin(), verbs.end(), meeting_.verb);
    const bool others_first = ends(meeting_.verb) && random_.chance(0.5);
    std::rotate(others_first ? std::find_if(verbs.begin(), verbs.end(), ends) : verbs.begin(),
                wanted, wanted + 1);
    Duration after = begins_ && meeting_.phase != Phase::Cancelled ? kAfterFault : Duration{};
    for (const OperatorVerb verb : verbs) {
      script_.say(verb, meeting_.phase, after, revision_);
      if (meeting_.phase != Phase::Cancelled && random_.chance(0.2)) after += seconds(4);
    }
  }

  std::string faults() {
    std::vector<std::string> out = wanted_fault();
    if (meeting_.phase == Phase::RollbackStuck) out.emplace_back("undo_fails");
    for (int others = 0; others < 6; ++others) {
      const auto kind = FaultKind(random_.below(kFaultKinds));
      const bool in_the_way = keeps_from(kind, meeting_.phase) || kind == FaultKind::UndoFails ||
                              kind == FaultKind::Quota || kind == FaultKind::NoApproval;
      if (!in_the_way && kind != meeting_.fault) out.emplace_back(to_string(kind));
    }
    return fmt::format("{}", fmt::join(out, ","));
  }

  std::vector<std::string> wanted_fault() {
    std::string fault(to_string(meeting_.fault));
    if (meeting_.fault == FaultKind::Quota) return {fault + ":290"};
    if (meeting_.fault == FaultKind::UndoFails && meeting_.phase == Phase::RollbackStuck) return {};
    if (begins_) return {fmt::format("{}@{}", fault, format_duration(*begins_))};
    if (keeps_from(meeting_.fault, meeting_.phase)) return {};
    return {fault};
  }

  Meeting meeting_;
  std::optional<Duration> begins_;
  Random random_;
  Script script_;
  bool second_life_ = false;
  std::int64_t revision_ = 1;
};

}  // namespace

RandomRun random_run(std::uint64_t seed) {
  Random random(seed);
  std::string faults = random_faults(&random);
  Script script(seed, &random);
  for (std::uint64_t left = random.below(kCommandsMost + 1); left > 0; --left) {
    // That is where most of an event's time goes.
    const bool rolls_out = random.chance(0.5);
    const Phase phase = rolls_out ? Phase::RollingOut : kPhasesMet[random.below(kPhasesMet.size())];
    const Duration after =
        seconds(std::int64_t(random.below(phase == Phase::RollingOut ? 400 : 60)));
    script.say(OperatorVerb(random.below(kOperatorVerbs)), phase, after);
  }
  return std::move(script).done(std::move(faults));
}

RandomRun run_to_meet(const Meeting& meeting, std::uint64_t seed) {
  std::optional<Duration> begins;
  if (keeps_from(meeting.fault, meeting.phase)) {
    begins = Steered(meeting, seed, {}).comes_at();
    // A run ends when its event is cancelled: there the fault begins just before.
    if (begins) *begins += meeting.phase == Phase::Cancelled ? seconds(-2) : seconds(1);
  }
  return Steered(meeting, seed, begins).write();
}

std::vector<Meeting> meetings_of(const RandomRun& run, const RunResult& result) {
  std::vector<Meeting> out;
  for (const SentCommand& sent : result.sent) {
    for (const FaultKind fault : sent.faults)
      out.push_back({fault, sent.phase, run.verbs[sent.index]});
  }
  return out;
}

std::string to_text(const Meeting& meeting) {
  return fmt::format("{}/{}/{}", to_string(meeting.fault), enum_name(meeting.phase),
                     to_string(meeting.verb));
}

std::optional<Meeting> parse_meeting(std::string_view text) {
  for (int fault = 0; fault < kFaultKinds; ++fault) {
    for (const Phase phase : kPhasesMet) {
      for (int verb = 0; verb < kOperatorVerbs; ++verb) {
        const Meeting meeting{FaultKind(fault), phase, OperatorVerb(verb)};
        if (to_text(meeting) == text) return meeting;
      }
    }
  }
  return std::nullopt;
}

}  // namespace showcaller::sim
