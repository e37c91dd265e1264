// SPDX-License-Identifier: Apache-2.0
// Fleet driver of one machine: each instance is a game server under its own shim process (shim.h).
//
// The driver keeps a connection to every shim; shims push what changes, so observe() is a copy.
// Opening a root folder in which shims live adopts them all: a restart of the server cuts no match.
// Folder and protocol: shim_protocol.h; beside them ROOT/epoch (the highest epoch seen) and
// ROOT/ports (leases).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compute/port/fleet_driver.h"

namespace showcaller {

struct ProcessDriverOptions {
  std::string root;  // made when absent, mode 0700
  std::vector<std::string>
      shim_command;            // argv before "--dir FOLDER …", e.g. {"/usr/bin/showcaller", "shim"}
  std::string host = "local";  // told for instances whose spec names none
  std::string address = "127.0.0.1";  // where players reach the game servers
  std::string tc = "tc";              // the program that drills disturb the network by
  Duration adopt_wait = seconds(2);   // how long open() waits for living shims to answer
  std::function<void()>
      on_change;  // by the driver's thread, after what observe() would tell changed; may be empty
};

class ProcessDriver final : public FleetDriver {
 public:
  static Result<std::unique_ptr<ProcessDriver>> open(ProcessDriverOptions options);
  // Lets go of the shims; they and their game servers live on.
  ~ProcessDriver() override;

  Result<std::vector<ObservedInstance>> observe() override;
  std::uint64_t epoch() const override;
  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) override;
  Status may_disturb(Disturbance what) override;
  Status disturb(std::uint64_t epoch, const DisturbInstance& disturbance) override;
  void allocate(const AllocateInstance& allocation) override;

  // The folder with the log of an instance.
  std::string instance_folder(const std::string& id) const;

 private:
  class Loop;
  explicit ProcessDriver(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace showcaller
