// SPDX-License-Identifier: Apache-2.0
// The shim: one small process a game server. It is the game server's parent and reaper, owns its
// sidecar, log, exit status and state file, and outlives the server that started it. What it says
// and hears: shim_protocol.h.
//
// Threads: the loop is the calling thread; the sidecar's threads reach it through a SidecarCell.
// When the shim is killed, the kernel kills the game server; the driver ends what may be left of
// it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "codec/agones_sdk.h"

namespace showcaller {

struct ServedSidecar {
  int grpc_port = 0;
  int http_port = 0;
  std::shared_ptr<void> owner;  // the servers end with it
};
// Serves the SDK on loopback ports of the kernel's choice.
using ServeSidecar = std::function<Result<ServedSidecar>(agones::SidecarBackend& backend)>;

struct ShimOptions {
  std::string folder;                 // holds spec.json
  std::string address = "127.0.0.1";  // where players reach the game server
  int control_fd = -1;                // a socket to the driver that started it
  int lock_fd = -1;                   // holds the folder's lock; -1: the shim takes it
  ServeSidecar serve;
};

// Runs until the game server is gone. Returns the exit code of the shim: 0 when it told all it had
// to tell.
int shim_main(const ShimOptions& options);

}  // namespace showcaller
