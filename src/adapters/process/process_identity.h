// SPDX-License-Identifier: Apache-2.0
// Who a process is, from /proc, and the end of processes whose parent died without ending them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "adapters/process/shim_protocol.h"
#include "base/result.h"

namespace showcaller {

// Of this boot of the machine.
std::string boot_id();
// Without a value: no such process (a zombie is one).
std::optional<ProcessIdentity> identify(pid_t pid);
// The same process still lives (and is no zombie).
bool is_alive(const ProcessIdentity& identity);

// Kills every process that carries SHOWCALLER_INSTANCE=<id> in its first environment, but never
// this one. Returns how many.
int kill_leftovers(const std::string& instance_id);

// The direct children of this process, zombies included.
std::vector<pid_t> child_pids();

}  // namespace showcaller
