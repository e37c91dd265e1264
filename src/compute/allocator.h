// SPDX-License-Identifier: Apache-2.0
// Gives sessions their instances. Soft state beside the engine: it lives on the last published plan
// and on what the drivers observe, goes on while the engine is away, and is rebuilt by observe()
// after a restart.
//
// Threads: none; who shares it guards it. Memory: bounded (AllocatorLimits). Never: reads a clock,
// calls a driver.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compute/allocation.h"
#include "compute/allocation_plan.h"

namespace showcaller {

struct AllocatorLimits {
  std::size_t sessions_max =
      250'000;  // remembered; past it ended ones are forgotten early, then new ones refused
  std::size_t exposures_max =
      1'000'000;  // rows not yet taken; past it the canary is refused: no exposure goes untold
  std::size_t players_max = 1'000;  // a session
  Duration remember = minutes(10);  // how long an ended session still gets its old answer
  Duration spill_after =
      seconds(15);  // a session drawn for a canary that stays full goes to the baseline then
};

class Allocator {
 public:
  explicit Allocator(AllocatorLimits limits = {});
  ~Allocator();
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  // Takes effect at once. A plan older than the present one is ignored.
  void publish(std::shared_ptr<const AllocationPlan> plan);
  // All instances of the fleet that its driver shows.
  void observe(const std::string& fleet, std::span<const ObservedInstance> observed, Instant now);

  // Invalid: the request is wrong. NotFound: no such fleet. Unsupported: no build for that
  // protocol. Conflict: the session's id was used for another request. Unavailable: no place now;
  // try again after retry_after_s(). Limit: full. `drawn` gets the arms that a new session was
  // drawn for, whether or not it then found a place there.
  Result<Allocation> allocate(const AllocationRequest& request, Instant now,
                              std::vector<ArmAssignment>* drawn = nullptr);
  // Of the instance of an allocation, for to_driver().
  NeighbourSessions neighbours(const Allocation& allocation) const;
  // The session has ended, before the instance shows it. False: not known.
  bool release(const std::string& session, Instant now);
  // Frees what nobody claimed in time and forgets old answers.
  void expire(Instant now);
  // Instances of the fleet, sorted, that show a session to which nobody came in time: the game
  // server has room for players and counts none. Only its driver can free it.
  std::vector<std::string> unclaimed(const std::string& fleet) const;

  // Totals that changed since the last call; each is the whole visit's.
  std::vector<StageTotals> take_totals();
  // At most `max` rows not yet taken, the oldest first.
  std::vector<ExposureRow> take_exposures(std::size_t max = 100'000);

  std::size_t sessions() const;
  static constexpr std::int64_t retry_after_s() { return 2; }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
