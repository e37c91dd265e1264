// SPDX-License-Identifier: Apache-2.0
// A fleet driver in memory that can lie (says done, is not), delay and forget: what the host has to
// live with.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "compute/port/fleet_driver.h"

namespace showcaller::test {

class LyingDriver final : public FleetDriver {
 public:
  explicit LyingDriver(std::uint64_t seed) : random_(seed) {}

  // ---- what a conversation sets ----
  Duration start_delay = seconds(3);
  double forget = 0;  // share of actions that are accepted and lost
  double lie = 0;     // share of starts that say Ready and are gone at the next look
  std::set<std::string> broken_builds;  // never reach Ready
  int lost_allocations = 0;             // so many of the next are never heard of
  bool unreachable = false;
  std::map<std::string, int> starts, stops;     // effects, by instance
  std::set<std::string> paused;                 // by drills, and not told to go on yet
  std::map<std::string, NetworkFault> network;  // of drills, and not ended yet
  bool has_network = true;                      // that drills can disturb

  // ---- the world behind it ----
  void set_time(Instant now);
  void end_session(const std::string& instance);
  void crash(const std::string& instance);
  bool runs(const std::string& instance) const;
  const std::map<std::string, ObservedInstance>& instances() const { return instances_; }

  Result<std::vector<ObservedInstance>> observe() override;
  std::uint64_t epoch() const override { return epoch_; }
  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) override;
  Status may_disturb(Disturbance what) override;
  Status disturb(std::uint64_t epoch, const DisturbInstance& disturbance) override;
  void allocate(const AllocateInstance& allocation) override;

 private:
  Random random_;
  Instant now_{};
  std::uint64_t epoch_ = 0;
  std::map<std::string, ObservedInstance> instances_;
  std::map<std::string, Instant> ready_at_;
  std::set<std::string> liars_;
};

}  // namespace showcaller::test
