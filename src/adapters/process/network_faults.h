// SPDX-License-Identifier: Apache-2.0
// What drills do to the network of instances: their packets are delayed, lost or cut off by the
// kernel's netem, told by the program tc. Only packets from and to the ports of those instances
// meet it, on the device that has their address: on lo both ways, on any other what they send.
//
// It asks for the capability CAP_NET_ADMIN and the kernel's netem and htb. The device must have no
// queueing discipline of somebody else's. All of it is taken back by a keeper, a small process that
// waits for the end of a pipe: when nothing is disturbed any more, and also when this process dies,
// however it does. What a keeper that was killed too has left, may() takes away.
//
// Threads: any. Limits: IPv4; some milliseconds a call.
#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "adapters/process/file_handle.h"
#include "base/result.h"
#include "compute/port/fleet_driver.h"

namespace showcaller {

class NetworkFaults {
 public:
  // `tc`: a program's name or path. `address`: the instances'.
  NetworkFaults(std::string address, std::string tc = "tc")
      : address_(std::move(address)), tc_(std::move(tc)) {}
  ~NetworkFaults() { restore(); }
  NetworkFaults(const NetworkFaults&) = delete;
  NetworkFaults& operator=(const NetworkFaults&) = delete;

  // Whether this machine lets us; tried out for a moment, with nothing disturbed.
  Status may();
  // Nothing: as it was.
  Status set(const std::string& instance, std::span<const int> ports, const NetworkFault& fault);

 private:
  struct Disturbed {
    std::vector<int> ports;
    NetworkFault fault;
  };
  Status try_out();
  Status find_device();
  Status check_device();
  Status disturb();
  Status keep();
  void restore();
  std::string script() const;

  const std::string address_, tc_;
  std::mutex mutex_;
  std::string device_;  // found at first use
  std::map<std::string, Disturbed> disturbed_;
  FileHandle pipe_;  // its end ends what the keeper keeps
  pid_t keeper_ = 0;
};

}  // namespace showcaller
