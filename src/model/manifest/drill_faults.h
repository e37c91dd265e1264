// SPDX-License-Identifier: Apache-2.0
// The kinds of fault that a Drill may name: the simulator's own, and those that a server can do to
// instances of its fleet. The simulator plays kill and pause as a loss of instances, for one that
// is stopped serves nobody; a network it does not have.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace showcaller::manifest {

inline constexpr std::string_view kKill = "kill";
inline constexpr std::string_view kPause = "pause";
inline constexpr std::string_view kNetDelay = "net_delay";  // milliseconds
inline constexpr std::string_view kNetLoss = "net_loss";    // a share of all packets
inline constexpr std::string_view kNetCut = "net_cut";
inline constexpr std::array<std::string_view, 5> kServerFaults{kKill, kPause, kNetDelay, kNetLoss,
                                                               kNetCut};
inline constexpr std::array<std::string_view, 31> kDrillFaults{
    "errors",        "crashes",     "latency",     "tail",    "leak",       "slow_start",
    "instance_loss", "host_loss",   "region_loss", "blind",   "skew",       "split",
    "clock_jump",    "disk_full",   "torn_write",  "restart", "duplicates", "lies",
    "undo_fails",    "no_approval", "quota",       "herd",    "partition",  "addresses",
    "writes",        "no_answer",   kKill,         kPause,    kNetDelay,    kNetLoss,
    kNetCut};

constexpr bool is_of_servers(std::string_view kind) {
  return std::find(kServerFaults.begin(), kServerFaults.end(), kind) != kServerFaults.end();
}
constexpr bool is_of_network(std::string_view kind) {
  return kind == kNetDelay || kind == kNetLoss || kind == kNetCut;
}
// It holds until it is ended.
constexpr bool must_be_ended(std::string_view kind) {
  return kind == kPause || is_of_network(kind);
}

}  // namespace showcaller::manifest
