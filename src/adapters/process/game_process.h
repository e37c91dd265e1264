// SPDX-License-Identifier: Apache-2.0
// Starts a game server as a child of this process: session and process group of its own, a clean
// environment, limits, no new privileges, output into a pipe; killed by the kernel when this
// process dies.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "adapters/process/file_handle.h"
#include "compute/port/fleet_driver.h"

namespace showcaller {

struct GameLaunch {
  std::vector<std::string>
      command;  // argv; a first word without '/' is looked for in the PATH of env
  std::map<std::string, std::string> env;  // all of it
  std::string work_folder;
  InstanceLimits limits;
};

struct GameProcess {
  pid_t pid = 0;      // also its process group and session
  FileHandle output;  // stdout and stderr, not blocking
};

// Called by the thread that lives as long as the process does (the kernel watches the thread).
Result<GameProcess> start_game(const GameLaunch& launch);

}  // namespace showcaller
