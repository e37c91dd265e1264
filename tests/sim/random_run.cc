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

// A run whose event comes to a phase quickly, in its first life or in a second one.
class Steered {
 public:
  Steered(const Meeting& meeting, std::uint64_t seed)
      : meeting_(meeting), random_(seed), script_(seed, &random_) {
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
        return script_.say(Cancel, Phase::Validated, {}, revision_);
      default:
        return;
    }
  }

  // Every verb once, those that end the phase last.
  void say_in_the_phase() {
    std::vector<OperatorVerb> verbs;
    for (int verb = 0; verb < kOperatorVerbs; ++verb) verbs.push_back(OperatorVerb(verb));
    for (std::size_t i = verbs.size(); i > 1; --i) std::swap(verbs[i - 1], verbs[random_.below(i)]);
    const auto ends = [](OperatorVerb verb) {
      return verb == Promote || verb == StepBack || verb == Rollback || verb == Cancel ||
             verb == Revise || verb == Resume;
    };
    std::stable_partition(verbs.begin(), verbs.end(),
                          [&](OperatorVerb verb) { return !ends(verb); });
    // What is wanted comes early, for what comes before it may end the phase.
    const auto wanted = std::find(verbs.begin(), verbs.end(), meeting_.verb);
    std::rotate(
        ends(meeting_.verb) ? std::find_if(verbs.begin(), verbs.end(), ends) : verbs.begin(),
        wanted, wanted + 1);
    Duration after = first_after();
    for (const OperatorVerb verb : verbs) {
      script_.say(verb, meeting_.phase, after, revision_);
      if (meeting_.phase != Phase::Cancelled && random_.chance(0.2)) after += seconds(4);
    }
  }

  // Until a fault acts that keeps the event from coming there.
  Duration first_after() {
    return waits_in_the_phase() ? minutes(std::int64_t(random_.below(9))) : Duration{};
  }
  bool waits_in_the_phase() const {
    return second_life_ && meeting_.phase == Phase::Ready &&
           (meeting_.fault == FaultKind::Blind || meeting_.fault == FaultKind::RegionLoss);
  }

  std::string faults() {
    std::vector<std::string> out{wanted_fault()};
    if (meeting_.phase == Phase::RollbackStuck) out.emplace_back("undo_fails");
    for (int others = 0; others < 6; ++others) {
      const auto kind = FaultKind(random_.below(kFaultKinds));
      const bool in_the_way = kind == FaultKind::UndoFails || kind == FaultKind::Blind ||
                              kind == FaultKind::Quota || kind == FaultKind::NoApproval ||
                              (kind == FaultKind::RegionLoss && second_life_);
      if (!in_the_way && kind != meeting_.fault) out.emplace_back(to_string(kind));
    }
    return fmt::format("{}", fmt::join(out, ","));
  }

  std::string wanted_fault() {
    std::string fault(to_string(meeting_.fault));
    if (meeting_.fault == FaultKind::Quota) return fault + ":290";
    if (waits_in_the_phase()) fault += fmt::format("@{}s", 240 + random_.below(360));
    // Who is blind sees nothing drained and nothing ready: it begins when that is over.
    else if (meeting_.fault == FaultKind::Blind && meeting_.phase != Phase::Live)
      fault += fmt::format("@{}s", 60 + random_.below(300));
    else if (meeting_.fault == FaultKind::Blind)
      fault += "@30s";
    // After the undo has been asked for, before all have left.
    if (meeting_.fault == FaultKind::UndoFails && meeting_.phase == Phase::RolledBack)
      fault += fmt::format("@{}s", 120 + random_.below(120));
    return fault;
  }

  Meeting meeting_;
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
  return Steered(meeting, seed).write();
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
