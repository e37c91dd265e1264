// SPDX-License-Identifier: Apache-2.0
// The life of a LiveEvent as a table: each phase and input meet in exactly one row, or this does
// not compile. docs/lifecycle.md is printed from here.
//
// Held is not a phase: it is a condition beside it (EventState::hold), and gates, end and rollback
// stay alive under it. Nor is a proposed revision (EventState::proposed): an event under way keeps
// its phase while it waits for the approvals of one. A ready event that adopts one is prepared
// anew.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/fields.h"

namespace showcaller {

enum class Phase : std::uint8_t {  // On disk by name.
  Draft,
  Validated,
  Approved,
  Preparing,
  Ready,
  RollingOut,
  Live,
  Settling,
  Deprecated,
  Retired,
  Cancelled,
  Rejected,
  RollingBack,
  RolledBack,
  RollbackStuck,
};
constexpr int kPhases = 15;

template <>
struct EnumNames<Phase> {
  static constexpr std::array<std::string_view, kPhases> names{
      "Draft",      "Validated", "Approved",    "Preparing",  "Ready",
      "RollingOut", "Live",      "Settling",    "Deprecated", "Retired",
      "Cancelled",  "Rejected",  "RollingBack", "RolledBack", "RollbackStuck"};
};

enum class PhaseInput : std::uint8_t {
  Revise,     // a changed manifest was applied
  Validate,   // the revision is sound against the world
  Reject,     // it is not
  Approve,    // all approvals are there
  Prepare,    // the saga may begin, or what is ready has to be checked again
  MadeReady,  // steps applied, readiness checks good
  Admit,      // the first stage
  Advance,    // the next stage
  StepBack,   // the stage before
  GoLive,     // the last stage has passed
  End,        // the schedule's end
  Deprecate,  // claims are settled
  Retire,     // the legacy path is gone
  Cancel,
  Rollback,
  Undone,  // every step undone, every session drained
  Stick,   // an undo step failed for good
};
constexpr int kPhaseInputs = 17;

template <>
struct EnumNames<PhaseInput> {
  static constexpr std::array<std::string_view, kPhaseInputs> names{
      "revise", "validate", "reject",    "approve", "prepare", "made_ready",
      "admit",  "advance",  "step_back", "go_live", "end",     "deprecate",
      "retire", "cancel",   "rollback",  "undone",  "stick"};
};

struct Outcome {
  bool allowed = false;
  Phase to = Phase::Draft;   // when allowed
  std::string_view refusal;  // when not: the fact, then the remedy
};

constexpr Outcome go(Phase to) {
  return {true, to, {}};
}
constexpr Outcome refuse(std::string_view why) {
  return {false, Phase::Draft, why};
}

// A set of phases, one bit each.
template <class... P>
constexpr std::uint32_t in(P... phases) {
  return (0u | ... | (1u << unsigned(phases)));
}
template <class... P>
constexpr std::uint32_t except(P... phases) {
  return ((1u << kPhases) - 1) & ~in(phases...);
}

struct LifecycleRow {
  std::uint32_t phases;
  PhaseInput input;
  Outcome outcome;
};

namespace lifecycle_detail {
using enum Phase;

// clang-format off
inline constexpr auto kLifecycle = std::to_array<LifecycleRow>({
    {in(Draft, Validated, Approved, Preparing, Ready, Rejected), PhaseInput::Revise, go(Draft)},
    {in(Cancelled, Retired, RolledBack),          PhaseInput::Revise, go(Draft)},
    {in(RollingOut),                              PhaseInput::Revise, go(RollingOut)},
    {in(Live),                                    PhaseInput::Revise, go(Live)},
    {in(Settling, Deprecated),                    PhaseInput::Revise, refuse("the event has ended; wait until it is retired and apply again, or use another name")},
    {in(RollingBack),                             PhaseInput::Revise, refuse("the event is being rolled back; apply again when it is rolled back")},
    {in(RollbackStuck),                           PhaseInput::Revise, refuse("its rollback is stuck; mend the named step and run `showcaller rollback` again first")},

    {in(Draft),                                   PhaseInput::Validate, go(Validated)},
    {except(Draft),                               PhaseInput::Validate, refuse("only a draft is validated; apply the manifest to make one")},
    {in(Draft),                                   PhaseInput::Reject, go(Rejected)},
    {except(Draft),                               PhaseInput::Reject, refuse("only a draft can be rejected; use `showcaller cancel` or `rollback`")},

    {in(Validated),                               PhaseInput::Approve, go(Approved)},
    {in(Draft, Rejected),                         PhaseInput::Approve, refuse("the event is not validated; mend its findings and apply again")},
    {except(Draft, Rejected, Validated),          PhaseInput::Approve, refuse("the event needs no approval now; `showcaller status` tells what it waits for")},

    {in(Approved, Ready),                         PhaseInput::Prepare, go(Preparing)},
    {except(Approved, Ready),                     PhaseInput::Prepare, refuse("only an approved event is prepared")},
    {in(Preparing),                               PhaseInput::MadeReady, go(Ready)},
    {except(Preparing),                           PhaseInput::MadeReady, refuse("only an event in preparation becomes ready")},

    {in(Ready),                                   PhaseInput::Admit, go(RollingOut)},
    {in(Draft, Validated, Approved, Preparing),   PhaseInput::Admit, refuse("readiness comes before intake; `showcaller status` tells what is missing")},
    {in(RollingOut),                              PhaseInput::Admit, refuse("it admits players already; promote it instead")},
    {except(Draft, Validated, Approved, Preparing, Ready, RollingOut), PhaseInput::Admit, refuse("the event no longer admits anybody; apply it again for a new revision")},

    {in(RollingOut),                              PhaseInput::Advance, go(RollingOut)},
    {except(RollingOut),                          PhaseInput::Advance, refuse("only an event that is rolling out has a next stage")},
    {in(RollingOut),                              PhaseInput::StepBack, go(RollingOut)},
    {except(RollingOut),                          PhaseInput::StepBack, refuse("only an event that is rolling out has a stage before")},
    {in(RollingOut),                              PhaseInput::GoLive, go(Live)},
    {except(RollingOut),                          PhaseInput::GoLive, refuse("only the last stage of a rollout leads to live")},

    {in(RollingOut, Live),                        PhaseInput::End, go(Settling)},
    {in(Draft, Validated, Approved, Preparing, Ready), PhaseInput::End, go(Cancelled)},
    {except(Draft, Validated, Approved, Preparing, Ready, RollingOut, Live), PhaseInput::End, refuse("the event has ended already")},
    {in(Settling),                                PhaseInput::Deprecate, go(Deprecated)},
    {except(Settling),                            PhaseInput::Deprecate, refuse("only a settling event is deprecated")},
    {in(Live),                                    PhaseInput::Retire, go(Settling)},
    {in(Settling),                                PhaseInput::Retire, go(Deprecated)},
    {in(Deprecated),                              PhaseInput::Retire, go(Retired)},
    {except(Live, Settling, Deprecated),          PhaseInput::Retire, refuse("only a live or ended event is retired; use `showcaller cancel` or `rollback`")},

    {in(Draft, Validated, Approved, Preparing, Ready, Rejected), PhaseInput::Cancel, go(Cancelled)},
    {in(RollingOut, Live),                        PhaseInput::Cancel, refuse("players are exposed; use `showcaller rollback`")},
    {except(Draft, Validated, Approved, Preparing, Ready, Rejected, RollingOut, Live), PhaseInput::Cancel, refuse("there is nothing left to cancel")},

    {in(Preparing, Ready, RollingOut, Live, Settling), PhaseInput::Rollback, go(RollingBack)},
    {in(RollbackStuck),                           PhaseInput::Rollback, go(RollingBack)},
    {in(Draft, Validated, Approved, Rejected),    PhaseInput::Rollback, refuse("nothing was done yet; use `showcaller cancel`")},
    {in(RollingBack),                             PhaseInput::Rollback, refuse("it is being rolled back already; `showcaller watch` shows how far it is")},
    {in(Deprecated, Retired, Cancelled, RolledBack), PhaseInput::Rollback, refuse("there is nothing left to undo")},
    {in(RollingBack),                             PhaseInput::Undone, go(RolledBack)},
    {except(RollingBack),                         PhaseInput::Undone, refuse("nothing is being undone")},
    {in(RollingBack),                             PhaseInput::Stick, go(RollbackStuck)},
    {except(RollingBack),                         PhaseInput::Stick, refuse("nothing is being undone")},
});
// clang-format on

}  // namespace lifecycle_detail

using lifecycle_detail::kLifecycle;

template <std::size_t N>
constexpr bool covers_each_pair_once(const std::array<LifecycleRow, N>& rows) {
  for (int input = 0; input < kPhaseInputs; ++input) {
    std::uint32_t seen = 0;
    for (const LifecycleRow& row : rows) {
      if (int(row.input) != input) continue;
      if ((seen & row.phases) != 0) return false;
      seen |= row.phases;
    }
    if (seen != (1u << kPhases) - 1) return false;
  }
  return true;
}
static_assert(covers_each_pair_once(kLifecycle));

constexpr Outcome outcome_of(Phase phase, PhaseInput input) {
  for (const LifecycleRow& row : kLifecycle) {
    if (row.input == input && (row.phases & in(phase)) != 0) return row.outcome;
  }
  return {};
}

// The change-set's layer is part of the desired state in these.
constexpr bool layer_is_active(Phase phase) {
  using enum Phase;
  return (in(phase)&in(Preparing, Ready, RollingOut, Live, Settling, Deprecated)) != 0;
}
// A changed manifest of the same change-set does not begin anew, but waits beside the one in force.
constexpr bool is_under_way(Phase phase) {
  using enum Phase;
  return (in(phase)&in(Preparing, Ready, RollingOut, Live)) != 0;
}
// New sessions may be given the canary arm.
constexpr bool may_admit(Phase phase) {
  return (in(phase)&in(Phase::RollingOut, Phase::Live)) != 0;
}
// How long it lasts is a matter of time during which somebody was there to act: a bake, a time-out,
// the watch after the last stage.
constexpr bool counts_time(Phase phase) {
  using enum Phase;
  return (in(phase)&in(Preparing, RollingOut, Live, RollingBack)) != 0;
}
constexpr bool is_over(Phase phase) {
  using enum Phase;
  return (in(phase)&in(Retired, Cancelled, Rejected, RolledBack)) != 0;
}

// The table as a Markdown page, for docs/lifecycle.md.
std::string lifecycle_page();

}  // namespace showcaller
