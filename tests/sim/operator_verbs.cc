// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/operator_verbs.h"

#include "tests/sim/small_game.h"

namespace showcaller::sim {
namespace {

constexpr const char* kEvent = "gala";

CommandBody applies(std::shared_ptr<const Manifest> manifest) {
  return ApplyCommand{{std::move(manifest)}};
}

CommandBody body_of(OperatorVerb verb, Random* random) {
  using enum OperatorVerb;
  switch (verb) {
    case Hold:
      return EventCommand{kEvent, EventVerb::Hold};
    case Resume:
      return EventCommand{kEvent, EventVerb::Resume};
    case Promote:
      return EventCommand{kEvent, EventVerb::Promote};
    case StepBack:
      return EventCommand{kEvent, EventVerb::StepBack};
    case Rollback:
      return EventCommand{kEvent, EventVerb::Rollback};
    case Cancel:
      return EventCommand{kEvent, EventVerb::Cancel};
    case Divert:
      return EventCommand{kEvent, EventVerb::Divert};
    case Undivert:
      return EventCommand{kEvent, EventVerb::Undivert};
    case Pace:
      return EventCommand{kEvent, EventVerb::Pace, std::int64_t(random->below(4)) * 60};
    case StopLine:
      return LineCommand{true, ""};
    case ResumeLine:
      return LineCommand{false, ""};
    case Revise:
      return applies(revised_gala(31 + int(random->below(20))));
    case Approve:
      return ApproveCommand{kEvent, ""};
    case Freeze:
      return applies(
          freeze_until(small_game().start + minutes(std::int64_t(2 + random->below(20)))));
    case Quarantine:
      return QuarantineCommand{false, QuarantineScope::Host, "raid",
                               random->chance(0.5) ? "eu-1" : "eu-2", minutes(4)};
    case KillFlag:
      return FlagCommand{false, "lobby"};
    case ReopenFlag:
      return FlagCommand{true, "lobby"};
    case WithdrawFeature:
      return FeatureCommand{false, "lobby", "news"};
    case RestoreFeature:
      return FeatureCommand{true, "lobby", "news"};
    case Acknowledge:
      return AlertCommand{"", AlertVerb::Acknowledge};
    case Own:
      return AlertCommand{"", AlertVerb::Own, random->chance(0.5) ? "ann" : "bob"};
    case Resolve:
      return AlertCommand{"", AlertVerb::Resolve};
    case Silence:
      return SilenceCommand{random->chance(0.5) ? "Fleet/raid" : "LiveEvent/gala", "", minutes(3)};
    case Unsilence:
      return UnsilenceCommand{""};
  }
  return {};
}

}  // namespace

std::string_view to_string(OperatorVerb verb) {
  static constexpr std::string_view kNames[] = {
      "hold",        "resume",           "promote",         "step_back",
      "rollback",    "cancel",           "divert",          "undivert",
      "pace",        "stop_line",        "resume_line",     "revise",
      "approve",     "freeze",           "quarantine",      "kill_flag",
      "reopen_flag", "withdraw_feature", "restore_feature", "acknowledge",
      "own",         "resolve",          "silence",         "unsilence"};
  static_assert(std::size(kNames) == kOperatorVerbs);
  return kNames[std::size_t(verb)];
}

ScheduledCommand scheduled(OperatorVerb verb, Phase phase, Duration after, Random* random) {
  const bool writes = verb == OperatorVerb::Revise || verb == OperatorVerb::Freeze;
  return {phase, after, body_of(verb, random), 1, writes ? "author" : "operator"};
}

}  // namespace showcaller::sim
