// SPDX-License-Identifier: Apache-2.0
// When a run is over, and which waits are passed over.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/decide.h"
#include "engine/moves.h"
#include "sim/play.h"

namespace showcaller::sim {
namespace {

constexpr Duration kHeldEnough = minutes(20);  // nobody comes: so it stays
constexpr Duration kStuckEnough = minutes(10);
constexpr Duration kQuietLeast = hours(2);     // shorter waits are played out
constexpr Duration kDoorsAhead = minutes(30);  // players are there again before doors open

}  // namespace

void Play::conclude(Ending ending, std::string why) {
  const bool must = ending == Ending::RanOut || ending == Ending::Refused ||
                    ending == Ending::Stopped || ending == Ending::NotReady;
  if (!must && spec_.watcher && spec_.watcher->waits(now())) return;
  over_ = true;
  result_.ending = ending;
  result_.why = std::move(why);
}

void Play::watch() {
  if (!spec_.watcher || !applied_) return;
  RunMoment moment{now(), now() - *applied_, {}, &crowd_.counts(), {}, event()};
  if (admitted_) moment.since_admitted = now() - *admitted_;
  if (!fleet_named_.empty()) moment.fleet = host_->view_of(fleet_named_);
  if (auto why = spec_.watcher->look(moment)) conclude(Ending::Stopped, std::move(*why));
}

bool Play::is_over() {
  const EventState* state = event();
  if (over_) return true;
  if (now() - result_.skipped >= spec_.horizon) {
    conclude(Ending::RanOut,
             fmt::format("still {} after {}", state ? enum_name(state->phase) : "not there",
                         format_duration(spec_.horizon)));
    return true;
  }
  if (!state) return false;
  const Phase phase = state->phase;
  held_since_ = !state->hold ? std::nullopt : held_since_ ? held_since_ : now();
  const Duration in_phase = host_->engine().now() - state->phase_since;
  if (phase == Phase::RolledBack) {
    // Its ledger is sealed in the next passes.
    if (in_phase >= seconds(30)) conclude(Ending::RolledBack, *state->phase_reason);
  } else if (phase == Phase::RollbackStuck) {
    if (in_phase >= kStuckEnough) conclude(Ending::Stuck, *state->phase_reason);
  } else if (phase == Phase::Rejected) {
    conclude(Ending::Refused, *state->phase_reason);
  } else if (showcaller::is_over(phase) || phase == Phase::Settling || phase == Phase::Deprecated) {
    const bool lived = live_since_ && phase != Phase::Cancelled;
    conclude(lived ? Ending::Live : Ending::Ended, *state->phase_reason);
  } else if (held_since_ && now() - *held_since_ >= kHeldEnough) {
    conclude(may_admit(phase) ? Ending::Held : Ending::NotReady, state->hold->reason);
  } else if (phase == Phase::Live && state->intake == IntakeState::Open &&
             state->open_regions.empty() &&
             now() - std::max(*live_since_, opened_.value_or(Duration{})) >= spec_.watched) {
    conclude(Ending::Live, *state->phase_reason);
  } else if (!may_admit(phase) && phase != Phase::RollingBack && !waits_for_its_date() &&
             in_phase >= state->spec().readiness.timeout + kHeldEnough) {
    conclude(
        Ending::NotReady,
        fmt::format(
            "{}", fmt::join(waits_for(*host_->world(), spec_.event, host_->engine().now()), "; ")));
  }
  return over_;
}

// The date that an event waits for, and nothing else: to begin, or to open its doors.
std::optional<Instant> Play::date_waited_for(const EventState& state) const {
  if (!state.manifest || !state.spec().schedule.start || state.hold) return std::nullopt;
  const LiveEventSpec& spec = state.spec();
  if (state.phase == Phase::Ready && spec.rollout_begin_before_start != Duration{})
    return spec.schedule.start->at - spec.rollout_begin_before_start;
  const bool more_regions = state.intake == IntakeState::Open && !state.open_regions.empty();
  if (state.phase != Phase::Live || (state.intake != IntakeState::Proving && !more_regions))
    return std::nullopt;
  std::optional<Instant> next;
  for (const auto& [region, at] : spec.schedule.start->by_region) {
    if (at > clock_.wall() && (!next || at < *next)) next = at;
  }
  return next ? next : std::optional(spec.schedule.start->at);
}

bool Play::waits_for_its_date() const {
  const EventState* state = event();
  const auto date = state ? date_waited_for(*state) : std::nullopt;
  return date && *date > clock_.wall();
}

// How long another event has nothing to do: until its date, or as long as it is live or over.
Duration Play::quiet_of_another(const EventState& state) const {
  if (const auto date = date_waited_for(state)) return *date - clock_.wall() - kDoorsAhead;
  const bool rests = state.phase == Phase::Live || showcaller::is_over(state.phase) || state.hold;
  return rests ? Duration::max() : Duration{};
}

// The time until shortly before that date is passed over, but for what goes wrong in it and for
// what other events do.
std::optional<Duration> Play::quiet_for() const {
  const EventState* state = event();
  const auto date = state ? date_waited_for(*state) : std::nullopt;
  if (!date) return std::nullopt;
  Duration quiet = *date - clock_.wall() - kDoorsAhead;
  host_->world()->events.each([&](const std::string& name, const EventState& another) {
    if (name != spec_.event) quiet = std::min(quiet, quiet_of_another(another));
  });
  for (const Fault& fault : truth_.faults()) {
    const auto since = truth_.since_of(fault.kind);
    if (!since) continue;
    if (fault.from > *since) quiet = std::min(quiet, fault.from - *since);
    if (fault.lasts && fault.from + *fault.lasts > *since)
      quiet = std::min(quiet, fault.from + *fault.lasts - *since);
  }
  return quiet >= kQuietLeast ? std::optional(quiet) : std::nullopt;
}

void Play::skip(Duration quiet) {
  clock_.advance(quiet);
  result_.skipped += quiet;
}

}  // namespace showcaller::sim
