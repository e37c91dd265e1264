// SPDX-License-Identifier: Apache-2.0
// Mistakes made on purpose, one at a time, to see that the simulator's seeds find them. The program
// has none: there broken() is always false, and what it guards is not compiled. The test program
// test_sim_bugs compiles each source that includes this once more, with SHOWCALLER_DELIBERATE_BUGS.
//
// Threads: any.
#pragma once

#include <cstdint>

#ifdef SHOWCALLER_DELIBERATE_BUGS
#include <atomic>
#endif

namespace showcaller {

enum class DeliberateBug : std::uint8_t {
  None,
  GateAlwaysPasses,         // whatever the evidence says
  FailureIgnored,           // a failed gate is told and nothing follows
  UndoSkipped,              // an action counts as undone without a call
  UndoInTheWrongOrder,      // the first step first
  RetriedWithANewKey,       // a service takes it for another effect
  LostSync,                 // what was acknowledged goes with the power
  KeyForgotten,             // a command that comes twice happens twice
  RebucketedOnRestart,      // each process draws by a salt of its own
  ShuffledWhenWider,        // each stage draws by a salt of its own
  DrawnEachSession,         // by the session, where the party is the unit
  DrainingTakesSessions,    // what has to go is given sessions
  QuarantineTakesSessions,  // what is quarantined is given sessions
  DivertIgnored,            // a diverted event still gets players
  IntakeLeftOpen,           // a rollback undoes with the doors open
  EndsBeforeDrained,        // rolled back while sessions still run
  ApprovalIgnored,          // nobody has to approve
  HoldIgnored,              // a held event grows
  FreezeIgnored,            // a frozen event grows
  StoppedLineIgnored,       // an event grows on a stopped line
  DowntimeBakes,            // while the server was away counts toward a bake
  LedgerRowLost,            // of some who were let in nobody will know
};

#ifdef SHOWCALLER_DELIBERATE_BUGS
inline std::atomic<DeliberateBug> deliberate_bug = DeliberateBug::None;
inline bool broken(DeliberateBug bug) {
  return deliberate_bug.load(std::memory_order_relaxed) == bug;
}
#else
consteval bool broken(DeliberateBug) {
  return false;
}
#endif

}  // namespace showcaller
