// SPDX-License-Identifier: Apache-2.0
// Port: what starts, stops and watches game server processes.
//
// A driver holds no wishes of its own. apply() is idempotent by instance id: starting an instance
// that runs, or stopping one that is gone, is no error. What a driver accepted may still not
// happen: observe() alone tells the truth. A driver refuses an epoch lower than one that it has
// seen (Conflict), and tells that one, so that a server whose journal knows less leads with a
// higher one.
//
// Threads: observe() and apply() are called by one reconciler thread; allocate() and epoch() by
// any. None may block for longer than 100 ms; slow work goes on behind the driver and shows in
// observe().
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/spec/health_probe.h"

namespace showcaller {

struct InstanceLimits {
  std::int64_t memory_mib_max = 0;  // 0: none
  std::int64_t open_files_max = 0;  // 0: none
  std::int64_t log_bytes_max = 4 << 20;
};

// All that is needed to start one instance.
struct InstanceSpec {
  std::string
      id;  // chosen by the engine in a record before the start: [a-z0-9-], at most 63 characters
  std::string fleet;
  std::string build;
  std::string region;
  std::string host;
  std::vector<std::string> command;  // argv; no shell
  std::map<std::string, std::string>
      env;                  // all of it: nothing is inherited but what the driver documents
  std::string work_folder;  // empty: the instance's own folder
  std::string user;         // of the machine, whom it runs as; empty: the driver's own
  std::map<std::string, std::string> labels;
  // UDP and TCP ports handed out, by name, as SHOWCALLER_PORT, SHOWCALLER_PORT_2, …
  std::vector<std::string> ports{"default"};
  Duration health_period = seconds(5);  // unhealthy after `health_failures` periods without Health
  int health_failures = 3;
  Duration start_timeout = seconds(60);  // from start to Ready
  std::optional<HealthProbe> probe;      // from Ready on
  InstanceLimits limits;
  // Agones counters and lists must be declared before the start: name → capacity.
  std::map<std::string, std::int64_t> counters;
  std::map<std::string, std::int64_t> lists;
};

// The Agones game server states that matter to us, and how one ends.
// On disk in the shim's state file by name.
enum class InstanceState {
  Starting,  // process wanted or running, not Ready yet
  Ready,
  Reserved,
  Allocated,  // a session was given to it
  Unhealthy,  // missed its pings; still running
  Shutdown,   // it asked to end (SDK Shutdown) or was told to
  Exited,     // the process is gone; exit tells how
};
// Inline, for a port is a header alone.
inline constexpr std::string_view kInstanceStateNames[] = {
    "starting", "ready", "reserved", "allocated", "unhealthy", "shutdown", "exited"};
inline std::string_view to_string(InstanceState state) {
  return kInstanceStateNames[static_cast<std::size_t>(state)];
}
inline std::optional<InstanceState> instance_state_from(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kInstanceStateNames); ++i) {
    if (kInstanceStateNames[i] == text) return static_cast<InstanceState>(i);
  }
  return std::nullopt;
}

struct InstanceExit {
  int code = 0;  // when signal is 0
  int signal = 0;
  bool wanted = false;  // we stopped it, or it asked to shut down
};

struct ObservedInstance {
  std::string id;
  std::string fleet;
  std::string build;
  std::string region;
  std::string host;
  std::uint64_t epoch = 0;
  InstanceState state = InstanceState::Starting;
  bool was_ready = false;  // reached Ready at least once
  std::string address;
  std::vector<int> ports;
  std::optional<std::string> session;  // while Allocated, or at its end
  std::int64_t players = 0;   // as the game server counts them (Agones counter or list "players")
  std::int64_t capacity = 0;  // 0: it does not say
  // How many sessions run, where the driver counts them and has no names for them.
  std::optional<std::int64_t> sessions_counted;
  std::int64_t sessions_ended = 0;  // how many times it went Allocated → Ready or Shutdown
  Instant started_at;
  std::optional<InstanceExit> exit;  // when Exited
  // Added by the allocation desk, not by drivers: nobody came to its session in time.
  bool unclaimed = false;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

struct StartInstance {
  InstanceSpec spec;
};
// SIGTERM, then SIGKILL after grace. Reason goes to the instance's log.
struct StopInstance {
  std::string id;
  Duration grace = seconds(10);
  std::string reason;
};
// Forgets an Exited instance: its folder and log are removed.
struct ForgetInstance {
  std::string id;
};
using FleetAction = std::variant<StartInstance, StopInstance, ForgetInstance>;

struct AllocateInstance {
  std::string id;
  std::string session;
  std::map<std::string, std::string>
      labels;  // set on the game server, prefix "showcaller.dev/" is ours
  std::map<std::string, std::string> annotations;
};

// What a drill does to an instance that runs. A pause, and what is done to its network, end by
// themselves, whatever becomes of the server.
enum class Disturbance { Kill, Pause, Resume, Network };
// What its packets meet, there and back. Nothing: as they were.
struct NetworkFault {
  Duration delay{};
  double loss = 0;  // a share
  friend bool operator==(const NetworkFault&, const NetworkFault&) = default;
};
struct DisturbInstance {
  std::string id;
  Disturbance what = Disturbance::Kill;
  Duration lasts{};  // of a pause
  NetworkFault network;
};

class FleetDriver {
 public:
  virtual ~FleetDriver() = default;

  [[nodiscard]] virtual Result<std::vector<ObservedInstance>> observe() = 0;
  // The highest that was seen, by this process or one before it; 0: none.
  [[nodiscard]] virtual std::uint64_t epoch() const = 0;
  // Applies each action; the first error ends it and the rest will be wanted again.
  [[nodiscard]] virtual Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) = 0;
  // Whether it could; the error says what is missing and what to do. Any thread.
  [[nodiscard]] virtual Status may_disturb(Disturbance) { return {}; }
  // At once, and never for longer than it says. By the reconciler's thread.
  [[nodiscard]] virtual Status disturb(std::uint64_t epoch, const DisturbInstance& disturbance) = 0;
  // Tells the sidecar that a session was given to the instance; the same again changes nothing.
  // Returns at once; observe() shows it.
  virtual void allocate(const AllocateInstance& allocation) = 0;
};

}  // namespace showcaller
