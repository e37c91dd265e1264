// SPDX-License-Identifier: Apache-2.0
// A record in one line for people: what happened, to what, why. Golden conversations and `history`
// print these.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/exposure_share.h"
#include "engine/view.h"

namespace showcaller {
namespace {

std::string share(std::int64_t ppm) {
  std::string text = fmt::format("{:.4f}", double(ppm) / 10'000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + "%";
}

std::string because(const std::string& reason) {
  return reason.empty() ? "" : "  " + reason;
}

std::string bounded(const std::string& what, const ExposureBounds& bounds) {
  const auto notes = bounds_notes(bounds);
  return fmt::format("bounds       {} {}", what,
                     notes.empty() ? "touches anybody" : fmt::format("{}", fmt::join(notes, ", ")));
}

std::string_view moved(const FlagSwitch& move) {
  return move.off ? "killed" : "re-opened";
}

std::string quoted(const std::string& reason) {
  return reason.empty() ? "" : fmt::format(" ({})", reason);
}

std::string said_of(const FlagSwitch& here) {
  if (here == FlagSwitch{}) return "never moved";
  return fmt::format("{} by {} at {}{}", moved(here), here.actor, format_instant(here.since),
                     quoted(here.reason));
}

struct Line {
  std::string operator()(const ManifestApplied& p) const {
    return fmt::format("applied      {}/{} g{}", p.kind, p.name, p.generation);
  }
  std::string operator()(const ManifestRemoved& p) const {
    return fmt::format("removed      {}/{}", p.kind, p.name);
  }
  std::string operator()(const EventRevised& p) const {
    return fmt::format("{}     {} r{}", p.proposed ? "proposed" : "revised ", p.event, p.revision);
  }
  std::string operator()(const RevisionAdopted& p) const {
    return fmt::format("adopted      {} r{}{}", p.event, p.revision, because(p.reason));
  }
  std::string operator()(const GlassBroken& p) const {
    return fmt::format("glass        {} r{} until {}{}", p.event, p.revision,
                       format_instant(p.until), because(p.reason));
  }
  std::string operator()(const PhaseChanged& p) const {
    return fmt::format("phase        {} {} -> {}{}", p.event, enum_name(p.from), enum_name(p.to),
                       because(p.reason));
  }
  std::string operator()(const StageEntered& p) const {
    return fmt::format("stage        {} {} {}{}", p.event, p.name, share(p.exposure_ppm),
                       because(p.reason));
  }
  std::string operator()(const ExposureWidened& p) const {
    return fmt::format("widened      {} {}{}", p.event, share(p.exposure_ppm), because(p.reason));
  }
  std::string operator()(const HoldSet& p) const {
    return fmt::format("hold         {} by {}{}", p.event, enum_name(p.by), because(p.reason));
  }
  std::string operator()(const HoldLifted& p) const {
    return fmt::format("resume       {}{}", p.event, because(p.reason));
  }
  std::string operator()(const IntakeChanged& p) const {
    return fmt::format("intake       {} {}{}{}", p.event, enum_name(p.to),
                       p.region.empty() ? "" : " in " + p.region, because(p.reason));
  }
  std::string operator()(const PaceSet& p) const {
    return fmt::format("pace         {} {}{}", p.event,
                       p.per_minute == 0 ? "unlimited" : fmt::format("{}/min", p.per_minute),
                       because(p.reason));
  }
  std::string operator()(const DivertSet& p) const {
    return fmt::format("divert       {} {}{}", p.event, p.on ? "on" : "off", because(p.reason));
  }
  std::string operator()(const VerdictChanged& p) const {
    return fmt::format("verdict      {} {} {}{}", p.event, p.gate.empty() ? "stage" : p.gate,
                       enum_name(p.verdict), because(p.why));
  }
  std::string operator()(const ApprovalGranted& p) const {
    return fmt::format("approved     {} r{} by {}", p.event, p.revision, p.by);
  }
  std::string operator()(const GateProven& p) const {
    return fmt::format("proven       {} {} by {} of {} runs{}", p.event, p.gate,
                       enum_name(p.method), p.runs, because(p.verdict));
  }
  std::string operator()(const StepStarted& p) const {
    return fmt::format("step         {} {} {} (attempt {})", p.event, enum_name(p.direction),
                       p.path, p.attempt);
  }
  std::string operator()(const StepFinished& p) const {
    return fmt::format("step         {} {} step {} {}{}", p.event, enum_name(p.direction),
                       p.step + 1, enum_name(p.outcome), because(p.detail));
  }
  std::string operator()(const ReadinessChanged& p) const {
    return fmt::format("readiness    {} {} {}{}", p.event, p.check, p.ready ? "ready" : "not ready",
                       because(p.detail));
  }
  std::string operator()(const SessionsCounted& p) const {
    return fmt::format("sessions     {} canary {} baseline {}", p.event, p.canary, p.baseline);
  }
  std::string operator()(const LedgerSealed& p) const {
    return fmt::format("ledger       {} r{} {} rows of {} players", p.event, p.revision, p.rows,
                       p.players);
  }
  std::string operator()(const PageRaised& p) const {
    return fmt::format("page         {}  {}", p.team, p.text);
  }
  std::string operator()(const AlertOpened& p) const {
    return fmt::format("{:<12} {}{}  {}", enum_name(p.severity), p.team,
                       p.owner.empty() ? "" : fmt::format(" ({})", p.owner), p.text);
  }
  std::string operator()(const AlertChanged& p) const {
    std::string to;
    if (p.move == AlertMove::Owned) to = " by " + p.owner;
    if (p.move == AlertMove::Escalated)
      to = fmt::format(" to {}{}", p.team, p.owner.empty() ? "" : fmt::format(" ({})", p.owner));
    if (!p.absorbs.empty()) to = fmt::format(" with {}", fmt::join(p.absorbs, ", "));
    return fmt::format("alert        {} {}{}{}", p.id, enum_name(p.move), to, because(p.reason));
  }
  std::string operator()(const AlertDelivered& p) const {
    return fmt::format("alert        {} {} {}{}", p.id,
                       p.outcome == DeliveryOutcome::Delivered ? "told" : "did not reach", p.route,
                       because(p.detail));
  }
  std::string operator()(const SilenceSet& p) const {
    std::string until;
    if (p.until != Instant{}) until += " until " + format_instant(p.until);
    if (!p.event.empty()) until += " with " + p.event;
    return fmt::format("silence      {}{}{}", p.subject, until, because(p.reason));
  }
  std::string operator()(const SilenceEnded& p) const {
    return fmt::format("silence      {} ended{}", p.id, because(p.reason));
  }
  std::string operator()(const InstanceRequested& p) const {
    return fmt::format("instance     {} wanted, build {} in {}", p.id, p.build, p.region);
  }
  std::string operator()(const InstanceMoved& p) const {
    std::string how;
    if (p.signal && *p.signal != 0)
      how = fmt::format(" (signal {})", *p.signal);
    else if (p.exit_code)
      how = fmt::format(" (exit {})", *p.exit_code);
    return fmt::format("instance     {} {}{}{}", p.id, enum_name(p.to), how, because(p.reason));
  }
  std::string operator()(const StartsDelayed& p) const {
    if (p.failures == 0) {
      return fmt::format("back-off     {} build {} in {}: over, a start has lasted", p.fleet,
                         p.build, p.region);
    }
    return fmt::format("back-off     {} build {} in {}: {} start failures, next not before {}",
                       p.fleet, p.build, p.region, p.failures, format_instant(p.until));
  }
  std::string operator()(const QuarantineSet& p) const {
    return fmt::format("quarantine   {} {} {}{}", p.fleet, enum_name(p.scope), p.subject,
                       because(p.reason));
  }
  std::string operator()(const QuarantineLifted& p) const {
    return fmt::format("released     {} {} {}{}", p.fleet, enum_name(p.scope), p.subject,
                       because(p.reason));
  }
  std::string operator()(const LineStopped& p) const {
    return fmt::format("line stopped {}{}", p.scope.empty() ? "everywhere" : p.scope,
                       because(p.reason));
  }
  std::string operator()(const LineResumed& p) const {
    return fmt::format("line resumed {}{}", p.scope.empty() ? "everywhere" : p.scope,
                       because(p.reason));
  }
  std::string operator()(const TokenCreated& p) const {
    return fmt::format("token        {} created", p.name);
  }
  std::string operator()(const TokenRevoked& p) const {
    return fmt::format("token        {} revoked", p.id);
  }
  std::string operator()(const ClockStepped& p) const {
    return fmt::format("clock        stepped by {} ms; scheduled openings wait a minute", p.by_ms);
  }
  std::string operator()(const JournalRestored& p) const {
    std::string replaced;
    if (p.replaced > 0) replaced = fmt::format(" in place of a journal of {} records", p.replaced);
    return fmt::format("restored     from a backup at {}{}; new names carry {}",
                       format_instant(p.at), replaced, p.lineage);
  }
  std::string operator()(const ServerStarted& p) const {
    std::string text = fmt::format("server       started, version {}", p.version);
    if (p.down_ms > 0)
      text += fmt::format(", {} after the last record", format_duration(Duration(p.down_ms)));
    if (p.clock_ms < 0)
      text += fmt::format("; the wall clock is {} behind the journal",
                          format_duration(Duration(-p.clock_ms)));
    return text;
  }
  std::string operator()(const DrillStarted& p) const {
    return fmt::format("drill        {} begins on fleet {}, until {} at most", p.drill, p.fleet,
                       format_instant(p.until));
  }
  std::string operator()(const DrillInjected& p) const {
    return fmt::format("drill        {} {}: {} {} instances", p.drill, p.inject, p.fault,
                       p.instances.size());
  }
  std::string operator()(const DrillEnded& p) const {
    return fmt::format("drill        {} {}{}", p.drill, p.verdict, because(p.reason));
  }
  std::string operator()(const FlagKilled& p) const {
    return fmt::format("flag killed  {}{}", p.flag, because(p.reason));
  }
  std::string operator()(const FlagReopened& p) const {
    return fmt::format("flag         {} re-opened{}", p.flag, because(p.reason));
  }
  std::string operator()(const ExposureBounded& p) const { return bounded(p.event, p.bounds); }
  std::string operator()(const FlagBounded& p) const { return bounded(p.flag, p.bounds); }
  std::string operator()(const BreakerChanged& p) const {
    return fmt::format("breaker      {} {} -> {}  {} of {} calls failed{}", p.service,
                       enum_name(p.from), enum_name(p.to), p.failures, p.calls, because(p.reason));
  }
  std::string operator()(const StressChanged& p) const {
    return fmt::format("stress       {} {}{}", p.service, p.stressed ? "begins" : "is over",
                       because(p.reason));
  }
  std::string operator()(const FeatureWithdrawn& p) const {
    return fmt::format("withdrawn    {} {}{}: flag {} gives {}{}", p.service, p.feature,
                       p.by_hand ? " by hand" : "", p.flag, p.variant, because(p.reason));
  }
  std::string operator()(const FeatureReturned& p) const {
    return fmt::format("returned     {} {}{}: flag {} is as it was{}", p.service, p.feature,
                       p.by_hand ? " by hand" : "", p.flag, because(p.reason));
  }
  std::string operator()(const FlagSwitchMerged& p) const {
    std::string moves;
    FlagSwitch now = p.here;
    for (const FlagSwitch& move : p.there) {
      moves += fmt::format("{}{} by {} at {}{}", moves.empty() ? "" : ", ", moved(move), move.actor,
                           format_instant(move.since), quoted(move.reason));
      now = merged(now, move);
    }
    return fmt::format("flag merged  {} is {}; at {}: {}; here: {}", p.flag, now.off ? "off" : "on",
                       p.place, moves, said_of(p.here));
  }
  std::string operator()(const FlagScheduleReached& p) const {
    return fmt::format("flag         {} as scheduled for {}{}", p.flag, format_instant(p.at),
                       because(p.reason));
  }
  std::string operator()(const TimeNoted& p) const {
    return fmt::format("time         {} goes on", p.event);
  }
};

}  // namespace

std::string record_line(const Record& record) {
  return std::visit(Line{}, record.payload);
}

}  // namespace showcaller
