// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/scenarios.h"

#include <fmt/format.h>

#include "tests/sim/operator_verbs.h"
#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

using Expects = std::function<std::string(const RunResult&)>;

Expects ends(Ending ending) {
  return [ending](const RunResult& result) {
    if (result.ending == ending) return std::string();
    return fmt::format("it ends {} and not {}: {}", to_string(result.ending), to_string(ending),
                       result.why);
  };
}

Expects does_not_end(Ending ending) {
  return [ending](const RunResult& result) {
    if (result.ending != ending) return std::string();
    return fmt::format("it ends {}: {}", to_string(ending), result.why);
  };
}

// The gate fires, it is undone, and the ledger tells of whom.
Expects is_undone_by(std::string gate) {
  return [gate = std::move(gate)](const RunResult& result) {
    if (auto wrong = ends(Ending::RolledBack)(result); !wrong.empty()) return wrong;
    if (!result.fired || result.fired->gate != gate) return "gate " + gate + " did not fire first";
    if (!result.to_rolled_back || result.counts.harmed_players == 0 || result.ledger_players == 0)
      return std::string("whom it harmed, and how soon it was undone, is not told");
    return std::string();
  };
}

Expects goes_live_stage_by_stage(std::size_t stages) {
  return [stages](const RunResult& result) {
    if (auto wrong = ends(Ending::Live)(result); !wrong.empty()) return wrong;
    if (result.stages.size() != stages || result.stages[0].counts.canary_sessions == 0 ||
        result.counts.harmed_players != 0)
      return std::string("its stages are not as written");
    return std::string();
  };
}

std::string lets_nobody_in(const RunResult& result) {
  if (result.counts.canary_sessions > 0) return "somebody was let in";
  return ends(Ending::NotReady)(result);
}

std::string stays_in_its_first_stage(const RunResult& result) {
  if (result.stages.size() != 1) return "a blind stage was passed";
  return does_not_end(Ending::Live)(result);
}

std::string is_skewed(const RunResult& result) {
  if (!result.fired || result.fired->verdict != "skewed") return "the split is believed";
  return does_not_end(Ending::Live)(result);
}

std::string is_stuck_and_says_where(const RunResult& result) {
  if (result.why.find("grants/open") == std::string::npos || result.pages.empty())
    return "nobody is told which undo is stuck: " + result.why;
  return ends(Ending::Stuck)(result);
}

Scenario with_faults(const std::string& faults, Expects expects) {
  return {faults.empty() ? "nothing goes wrong" : faults, small_game(faults), std::move(expects)};
}

struct Does {
  OperatorVerb verb;
  Phase phase;
  Duration after;
};

Scenario with_operators(std::string name, const std::string& faults,
                        std::initializer_list<Does> does, Expects expects) {
  Scenario out{std::move(name), small_game(faults), std::move(expects)};
  Random random(7);
  for (const Does& each : does)
    out.spec.commands.push_back(scheduled(each.verb, each.phase, each.after, &random));
  return out;
}

std::vector<Scenario> written() {
  using enum OperatorVerb;
  std::vector<Scenario> out{
      with_faults("", goes_live_stage_by_stage(3)),
      with_faults("crashes:15", is_undone_by("session.crashed")),
      with_faults("errors:20", is_undone_by("session.error")),
      with_faults("crashes:15,undo_fails", is_stuck_and_says_where),
      with_faults("no_approval", lets_nobody_in),
      with_faults("blind@30s+10h", stays_in_its_first_stage),
      with_faults("split:0.8", is_skewed),
  };
  // Trouble that is nobody's fault on the canary: whatever comes of it, what must hold does.
  for (const char* faults :
       {"restart@1m", "disk_full@1m", "torn_write@1m", "clock_jump@1m", "duplicates", "lies",
        "instance_loss:0.5@1m", "host_loss@1m", "region_loss@1m+3m/na", "quota:60", "slow_start",
        "herd@1m+3m", "partition@1m+3m/na", "addresses:40", "writes@1m+3m", "blind@1m+2m", "split",
        "leak:3", "crashes:15,restart@2m,lies:0.1"})
    out.push_back(with_faults(faults, does_not_end(Ending::Stuck)));
  // Promoted out of the judged stage, it goes on by time alone: one minute a stage.
  const Does promoted{Promote, Phase::RollingOut, seconds(16)};
  out.push_back(with_operators("the server is away while a stage bakes", "restart:50@50s",
                               {promoted}, ends(Ending::Live)));
  out.push_back(with_operators("held, and promoted no more by itself", "",
                               {promoted, promoted, {Hold, Phase::RollingOut, seconds(20)}},
                               ends(Ending::Held)));
  out.push_back(with_operators("frozen, and on when the freeze is over", "",
                               {promoted, {Freeze, Phase::RollingOut, seconds(20)}},
                               ends(Ending::Live)));
  out.push_back(with_operators("the line is stopped for a while", "",
                               {promoted,
                                {StopLine, Phase::RollingOut, seconds(20)},
                                {ResumeLine, Phase::RollingOut, minutes(5)}},
                               ends(Ending::Live)));
  out.push_back(with_operators("diverted for a while", "",
                               {{Divert, Phase::RollingOut, minutes(1)},
                                {Undivert, Phase::RollingOut, minutes(4)},
                                {Promote, Phase::RollingOut, minutes(5)}},
                               does_not_end(Ending::Stuck)));
  out.push_back(with_operators("hosts are quarantined", "",
                               {{Quarantine, Phase::RollingOut, seconds(20)},
                                {Quarantine, Phase::RollingOut, seconds(40)},
                                {Quarantine, Phase::RollingOut, seconds(60)},
                                {Promote, Phase::RollingOut, minutes(2)}},
                               does_not_end(Ending::Stuck)));
  out.push_back(with_operators("a command that comes twice", "duplicates",
                               {{Pace, Phase::RollingOut, seconds(8)}, promoted},
                               does_not_end(Ending::Stuck)));
  out.push_back(with_operators("many come again in the next stage", "",
                               {{Promote, Phase::RollingOut, minutes(15)}},
                               does_not_end(Ending::Stuck)));
  out.push_back(with_operators("the answer to an undo is lost with the server", "restart@26s",
                               {{Rollback, Phase::RollingOut, seconds(20)}},
                               ends(Ending::RolledBack)));
  return out;
}

}  // namespace

std::vector<std::string> Scenario::wrong_with(const RunResult& result) const {
  std::vector<std::string> out = result.violations;
  if (std::string missed = expects(result); !missed.empty()) out.push_back(std::move(missed));
  return out;
}

const Scenario* scenario_named(std::string_view name) {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = written();
  return all;
}

}  // namespace showcaller::sim
