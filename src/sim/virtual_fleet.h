// SPDX-License-Identifier: Apache-2.0
// A fleet driver whose hosts, images, game servers and sessions are virtual: they take time to
// start, die of faults and of old age, and lie when told to. Deterministic by its seed.
//
// Sessions are put on instances by the production's allocator, as a real driver is told of them;
// or, where the run tells them apart by number only, by seat(). Threads: none.
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

// Sessions are numbered from 1, and called "s<number>".
std::string session_name(std::uint64_t session);

struct alignas(64) VirtualInstance {
  // What each session asks of it comes first, on one line of memory.
  std::uint32_t number = 0;  // from 1, in the order of starts
  std::int32_t running = 0, sessions_max = 1, sessions_ended = 0;
  InstanceMood mood;
  Duration ready_since{};
  bool shown = true;  // what runs on it is as `seen` says
  bool canary = false;

  ObservedInstance seen;                // as the driver shows it
  std::vector<std::uint64_t> sessions;  // the numbers of those that run, where they are told apart
  Duration ready_at{};
  Duration dies_at = Duration::max();

  bool has_room() const { return running < sessions_max; }
};

class VirtualFleet final : public FleetDriver {
 public:
  VirtualFleet(Truth* truth, std::uint64_t seed) : truth_(truth), random_(seed) {}

  // ---- what the run tells it ----
  void set_time(Duration now, Instant engine_now);
  // "fleet/build" of those that the played event brings: what faults of the canary act on.
  void set_canaries(std::set<std::string> builds) { canaries_ = std::move(builds); }
  void set_sessions_per_instance(const std::string& fleet, const std::string& build, int sessions) {
    sessions_per_instance_[fleet + "/" + build] = sessions;
  }

  // ---- the game on it ----
  // The driver shows how many sessions run on an instance, not which: for sessions that the host's
  // allocator does not know.
  void show_numbers_alone() { names_shown_ = false; }
  static void seat(VirtualInstance* instance) {
    ++instance->running;
    instance->shown = false;
  }
  // Whether it ran there until now.
  bool end_session(VirtualInstance* instance, std::uint64_t session) const;
  void crash(std::uint32_t instance);
  // Null when it is forgotten.
  VirtualInstance* find(std::uint32_t instance) const {
    return instance > 0 && instance <= by_number_.size() ? by_number_[instance - 1] : nullptr;
  }
  VirtualInstance* find(const std::string& instance);
  bool has_session(std::uint32_t instance, std::uint64_t session);
  // Instances that died under their sessions since the last call.
  std::vector<std::uint32_t> take_lost() { return std::exchange(lost_, {}); }
  std::map<std::string, VirtualInstance>& instances() { return instances_; }
  bool is_lost(const std::string& region, const std::string& host) const;
  bool is_cut_off(const std::string& region) const;

  Result<std::vector<ObservedInstance>> observe() override;
  std::uint64_t epoch() const override { return epoch_; }
  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) override;
  // What goes wrong here is the truth's to say.
  Status disturb(std::uint64_t, const DisturbInstance&) override {
    return fail(ErrorCode::Unsupported, "a rehearsal disturbs instances by its faults");
  }
  void allocate(const AllocateInstance& allocation) override;

 private:
  void start(const InstanceSpec& spec, std::uint64_t epoch);
  void die(VirtualInstance* instance, int signal, bool wanted);
  void strike_losses();
  void show_sessions(VirtualInstance* instance) const;
  Duration start_time(const InstanceSpec& spec);
  std::int64_t running() const;
  bool is_refused(const InstanceSpec& spec) const;
  bool is_unreachable(const FleetAction& action);

  Truth* truth_;
  Random random_;
  Duration now_{};
  Instant engine_now_{};
  std::uint64_t epoch_ = 0;
  std::map<std::string, VirtualInstance> instances_;
  std::vector<VirtualInstance*> by_number_;  // null: forgotten
  bool names_shown_ = true;
  std::vector<std::uint32_t> lost_;
  std::set<std::pair<Duration, std::string>> due_;        // starts and deaths to come
  std::set<std::pair<std::string, std::string>> images_;  // (host, build) that are there
  std::set<std::string> canaries_;
  std::map<std::string, int> sessions_per_instance_;
  std::set<const Fault*> struck_;
};

}  // namespace showcaller::sim
