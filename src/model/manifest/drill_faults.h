// SPDX-License-Identifier: Apache-2.0
// The kinds of fault that a Drill may name: the simulator's own, and those that a server can do to
// instances of its fleet. The simulator plays both of those as a loss of instances: one that is
// stopped serves nobody.
#pragma once

#include <array>
#include <string_view>

namespace showcaller::manifest {

inline constexpr std::string_view kKill = "kill";
inline constexpr std::string_view kPause = "pause";
inline constexpr std::array<std::string_view, 27> kDrillFaults{
    "errors",        "crashes",     "latency",     "tail",    "leak",       "slow_start",
    "instance_loss", "host_loss",   "region_loss", "blind",   "skew",       "split",
    "clock_jump",    "disk_full",   "torn_write",  "restart", "duplicates", "lies",
    "undo_fails",    "no_approval", "quota",       "herd",    "partition",  "addresses",
    "writes",        kKill,         kPause};

}  // namespace showcaller::manifest
