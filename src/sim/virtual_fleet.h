// SPDX-License-Identifier: Apache-2.0
// A fleet driver whose hosts, images, game servers and sessions are virtual: they take time to
// start, die of faults and of old age, and lie when told to. Deterministic by its seed.
//
// Sessions are put on instances by the production's allocator, as a real driver is told of them.
// Threads: none.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "compute/port/fleet_driver.h"
#include "sim/truth.h"

namespace showcaller::sim {

struct VirtualInstance {
  ObservedInstance seen;  // as the driver shows it
  std::vector<std::string> sessions;
  int sessions_max = 1;
  Duration ready_at{};
  Duration dies_at = Duration::max();
  InstanceMood mood;
  Duration ready_since{};
  bool canary = false;
};

class VirtualFleet final : public FleetDriver {
 public:
  VirtualFleet(Truth* truth, std::uint64_t seed) : truth_(truth), random_(seed) {}

  // ---- what the run tells it ----
  void set_time(Duration now, Instant engine_now);
  // "fleet/build" of those that some event under way brings: what faults of the canary act on.
  void set_canaries(std::set<std::string> builds) { canaries_ = std::move(builds); }
  void set_sessions_per_instance(const std::string& fleet, const std::string& build, int sessions) {
    sessions_per_instance_[fleet + "/" + build] = sessions;
  }

  // ---- the game on it ----
  void end_session(const std::string& instance, const std::string& session);
  void crash(const std::string& instance);
  VirtualInstance* find(const std::string& instance);
  bool has_session(const std::string& instance, const std::string& session);
  // Sessions that died with their instances since the last call.
  std::vector<std::string> take_lost() { return std::exchange(lost_, {}); }
  const std::map<std::string, VirtualInstance>& instances() const { return instances_; }
  bool is_lost(const std::string& region, const std::string& host) const;

  Result<std::vector<ObservedInstance>> observe() override;
  std::uint64_t epoch() const override { return epoch_; }
  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) override;
  void allocate(const AllocateInstance& allocation) override;

 private:
  void start(const InstanceSpec& spec, std::uint64_t epoch);
  void die(VirtualInstance* instance, int signal, bool wanted);
  void strike_losses();
  void show_sessions(VirtualInstance* instance);
  Duration start_time(const InstanceSpec& spec);
  std::int64_t running() const;

  Truth* truth_;
  Random random_;
  Duration now_{};
  Instant engine_now_{};
  std::uint64_t epoch_ = 0;
  std::map<std::string, VirtualInstance> instances_;
  std::vector<std::string> lost_;
  std::set<std::pair<Duration, std::string>> due_;        // starts and deaths to come
  std::set<std::pair<std::string, std::string>> images_;  // (host, build) that are there
  std::set<std::string> canaries_;
  std::map<std::string, int> sessions_per_instance_;
  std::set<const Fault*> struck_;
};

}  // namespace showcaller::sim
