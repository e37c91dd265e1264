// SPDX-License-Identifier: Apache-2.0
// Ports for a game server to bind itself: free for UDP and TCP when handed out, and never two
// shims' at one time.
//
// The kernel chooses (bind to port 0). The lease keeps the port bound until the game server is
// about to start (release()); a lock file a port, held as long as the lease, keeps a second shim
// from being given it before the game server has bound it.
#pragma once

#include <string>
#include <vector>

#include "adapters/process/file_handle.h"

namespace showcaller {

struct PortLease {
  int port = 0;
  FileHandle lock;
  FileHandle udp, tcp;  // bound, until release()

  void release() {
    udp.reset();
    tcp.reset();
  }
};

Result<std::vector<PortLease>> lease_ports(const std::string& lock_folder,
                                           const std::string& address, int count);

}  // namespace showcaller
