// SPDX-License-Identifier: Apache-2.0
// What the driver and a shim say to each other, and what both keep on disk. JSON throughout.
//
// Folder of an instance (ROOT/instances/ID, mode 0700):
//   spec.json     the InstanceSpec and the epoch that started it; written once, by the driver
//   state.json    the last ShimReport; written by the shim (by the driver when the shim died
//                 without a word)
//   lock          flock held by the living shim, from before its start
//   control.sock  the shim's control socket
//   log, log.1    output of the game server, bounded; shim.log: of the shim itself
// Control socket, a JSON object a line, at most kLineBytesMax:
//   shim → driver   a ShimReport, at once on connecting and after every change
//   driver → shim   {"do":"adopt","epoch":N} · {"do":"stop","epoch":N,"grace_ms":N,"reason":"…"} ·
//                   {"do":"allocate","epoch":N,"session":"…","labels":{…},"annotations":{…}} ·
//                   {"do":"kill","epoch":N} · {"do":"pause","epoch":N,"for_ms":N} ·
//                   {"do":"resume","epoch":N}, of drills
//   A command of an epoch lower than the shim has seen is passed over and written to shim.log.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include <sys/types.h>

#include "base/json.h"
#include "base/result.h"
#include "compute/port/fleet_driver.h"

namespace showcaller {

// A report holds all labels and annotations (agones::kMetadataBytesMax), of which each byte may
// take six in JSON.
inline constexpr std::size_t kLineBytesMax = 4u << 20;

// Which process, for good: a pid alone may have become another process since.
struct ProcessIdentity {
  std::string boot_id;
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // /proc/PID/stat, field 22
  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

struct ShimReport {
  ObservedInstance instance;
  ProcessIdentity shim;
  ProcessIdentity game;  // pid 0: not started
};

struct StoredSpec {
  InstanceSpec spec;
  std::uint64_t epoch = 0;
};

struct AdoptCommand {
  std::uint64_t epoch = 0;
};
struct StopCommand {
  std::uint64_t epoch = 0;
  Duration grace{0};
  std::string reason;
};
struct AllocateCommand {
  std::uint64_t epoch = 0;
  AllocateInstance allocation;  // its id is the shim's own
};
struct DisturbCommand {
  std::uint64_t epoch = 0;
  Disturbance what = Disturbance::Kill;
  Duration lasts{0};
};
using ShimCommand = std::variant<AdoptCommand, StopCommand, AllocateCommand, DisturbCommand>;

std::string to_text(const ShimReport& report);
Result<ShimReport> parse_report(std::string_view text);
std::string to_text(const StoredSpec& spec);
Result<StoredSpec> parse_stored_spec(std::string_view text);
std::string to_text(const ShimCommand& command);
Result<ShimCommand> parse_command(std::string_view text);

}  // namespace showcaller
