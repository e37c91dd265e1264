// SPDX-License-Identifier: Apache-2.0
// The kill switch of a flag. Killing asks for the right alone; re-opening lets players in again,
// and waits for what exposure waits for.
#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/decide_parts.h"
#include "engine/flag_facts.h"
#include "flow/flag_snapshot.h"
#include "policy/freezes.h"

namespace showcaller {
namespace {

std::string what_it_gives(const World& world, const std::string& flag) {
  const auto manifest = world.manifest(Kind::Flag, flag);
  const std::string off = manifest ? manifest->as<FlagSpec>().variant_when_off() : "";
  return off.empty() ? "everybody gets what his caller falls back on"
                     : fmt::format("everybody gets '{}'", off);
}

}  // namespace

Result<Decision> decide_flag(const World& world, const FlagCommand& command,
                             const std::string& reason, Instant now) {
  const FlagState* state = world.flags.find(command.flag);
  const FlagSwitch kill = state ? state->kill : FlagSwitch{};
  if (command.reopen) {
    if (!kill.off) return Decision{{}, {}, {fmt::format("'{}' is not killed", command.flag)}};
    TRY(permit(world, command, now));
    return Decision{{FlagReopened{command.flag, kill.reopened + 1, reason}},
                    {},
                    {fmt::format("'{}' is as its manifest and its events say", command.flag)}};
  }
  if (kill.off) return Decision{{}, {}, {fmt::format("'{}' is killed already", command.flag)}};
  const auto known = flags_known(world);
  if (std::ranges::find(known, command.flag) == known.end()) {
    return fail(
        ErrorCode::NotFound,
        fmt::format("there is no flag '{}', and nothing was killed{}", command.flag,
                    did_you_mean(command.flag, known, "`showcaller get flags` lists them")));
  }
  Decision out{{FlagKilled{command.flag, kill.reopened, reason}},
               {},
               {fmt::format("'{}' is off: {}; `showcaller flag reopen {}` when it is safe",
                            command.flag, what_it_gives(world, command.flag), command.flag)}};
  for (const std::string& event : events_that_change(world, command.flag))
    out.notes.push_back(fmt::format("LiveEvent '{}' changes it: nobody gets that now", event));
  return out;
}

// Nothing is refused: it happened. What this place has known all along is no news.
Result<Decision> decide_flags_of_relay(const World& world, const MergeFlagsCommand& command) {
  Decision out;
  for (const FlagMoves& flag : command.flags) {
    const FlagState* state = world.flags.find(flag.flag);
    const FlagSwitch here = state ? state->kill : FlagSwitch{};
    FlagSwitch now = here;
    for (const FlagSwitch& move : flag.moves) now = merged(now, move);
    out.payloads.push_back(FlagSwitchMerged{flag.flag, command.place, flag.moves, here});
    out.notes.push_back(fmt::format("'{}' is {}", flag.flag, now.off ? "off" : "on"));
  }
  return out;
}

}  // namespace showcaller
