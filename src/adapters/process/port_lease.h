// SPDX-License-Identifier: Apache-2.0
// Ports for a game server to bind itself: free for UDP and TCP when handed out, and never two
// shims' at one time.
//
// The kernel chooses (bind to port 0); a lock file a port, held as long as the lease, keeps a
// second shim from being given the same port before the first game server has bound it. Other
// programs' choice of that port in the moment between is left to luck: the kernel picks at random
// from some 28,000.
#pragma once

#include <string>
#include <vector>

#include "adapters/process/file_handle.h"

namespace showcaller {

struct PortLease {
  int port = 0;
  FileHandle lock;
};

Result<std::vector<PortLease>> lease_ports(const std::string& lock_folder,
                                           const std::string& address, int count);

}  // namespace showcaller
