// SPDX-License-Identifier: Apache-2.0
// Starts a game server as a child of this process: session and process group of its own, a clean
// environment, limits, no new privileges, output into a pipe; killed by the kernel when this
// process dies.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "adapters/process/file_handle.h"
#include "compute/port/fleet_driver.h"

namespace showcaller {

// Whom a game server runs as.
struct GameUser {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};
// None for an empty name, and for the user that this process is anyhow. NotFound: no such user.
// Forbidden: only root may run game servers as another.
Result<std::optional<GameUser>> find_game_user(const std::string& name);
// A folder that is the user's alone.
Status make_folder_of(const std::string& path, const GameUser& user);

struct GameLaunch {
  std::vector<std::string>
      command;  // argv; a first word without '/' is looked for in the PATH of env
  std::map<std::string, std::string> env;  // all of it
  std::string work_folder;
  std::optional<GameUser> user;  // none: who starts it
  InstanceLimits limits;
};

struct GameProcess {
  pid_t pid = 0;      // also its process group and session
  FileHandle output;  // stdout and stderr, not blocking
};

// Called by the thread that lives as long as the process does (the kernel watches the thread).
Result<GameProcess> start_game(const GameLaunch& launch);

}  // namespace showcaller
